#include "node/nodefile.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/own.h"
#include "node/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE_B (64u << 20)
#define MAX_NAME 255 /* RFC 1035 */

static bool is_address(const char *name)
{
    struct in_addr address;
    return strchr(name, ':') || inet_pton(AF_INET, name, &address) == 1;
}

/* Lower case, independent of the locale; without the dot that ends an absolute name. */
static void normalize(const char *text, size_t n, char out_key[MAX_NAME + 1])
{
    size_t used = n > 1 && text[n - 1] == '.' ? n - 1 : n;
    for (size_t i = 0; i < used; i++)
        out_key[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
    out_key[used] = 0;
}

/* The first label of FULL; false if it has one only, or is an address. */
static bool first_label(const char *full, char out_label[MAX_NAME + 1])
{
    const char *dot = strchr(full, '.');
    if (!dot || is_address(full))
        return false;
    memcpy(out_label, full, (size_t)(dot - full));
    out_label[dot - full] = 0;
    return true;
}

/* The entry that decides which host KEY is: its own, or that of its first label while that host's
 * full name is unknown. NULL: an unknown host. */
static struct ml_name *resolve(const struct ml_nodefile *file, const char *key)
{
    struct ml_name *name = ml_names_find(file->names, key);
    char label[MAX_NAME + 1];
    if (name || !first_label(key, label))
        return name;
    name = ml_names_find(file->names, label);
    return name && !name->full_known ? name : NULL;
}

static int add_host(struct ml_nodefile *file, const char *text, size_t n)
{
    if (file->n_hosts == file->room) {
        file->room = file->room ? 2 * file->room : 16;
        file->hosts = ml_realloc_array(file->hosts, file->room, sizeof *file->hosts);
        file->slots = ml_realloc_array(file->slots, file->room, sizeof *file->slots);
    }
    file->hosts[file->n_hosts] = ml_format("%.*s", (int)n, text);
    file->slots[file->n_hosts] = 0;
    return (int)file->n_hosts++;
}

static bool is_host_name(const char *text, size_t n)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:-.";
    if (n == 0 || n > MAX_NAME || *text == '-' || *text == '.')
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!text[i] || !strchr(letters, text[i]))
            return false;
    }
    return true;
}

bool ml_nodefile_add(struct ml_nodefile *file, const char *text, size_t n, int slots)
{
    char key[MAX_NAME + 1], label[MAX_NAME + 1];
    if (!is_host_name(text, n))
        return false;
    if (!file->names)
        file->names = ml_alloc(sizeof *file->names);
    normalize(text, n, key);
    bool full = first_label(key, label);
    struct ml_name *name = resolve(file, key);
    int host = name ? name->host : add_host(file, text, n);
    if (!name) {
        ml_names_add(file->names, key, host);
        if (full && !ml_names_find(file->names, label))
            ml_names_add(file->names, label, host)->full_known = true;
    } else if (full && !ml_names_find(file->names, key)) {
        name->full_known = true;
        ml_names_add(file->names, key, host);
    }
    file->slots[host] += slots; /* NOLINT(clang-analyzer-core.NullDereference): a name has a host */
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* The line without its comment and the blanks around it. */
static size_t trim(const char **text, size_t n)
{
    const char *comment = memchr(*text, '#', n);
    if (comment)
        n = (size_t)(comment - *text);
    for (; n && is_blank(**text); n--)
        ++*text;
    while (n && is_blank((*text)[n - 1]))
        n--;
    return n;
}

static void printable(char *out, size_t size, const char *text, size_t n)
{
    size_t i = 0;
    for (; i < n && i + 1 < size; i++)
        out[i] = text[i] >= ' ' && text[i] < 127 ? text[i] : '?';
    out[i] = 0;
}

enum ml_status ml_nodefile_parse(const char *text, size_t n, struct ml_nodefile *out_file,
                                 struct ml_error *err)
{
    struct ml_nodefile file = {0};
    const char *end = text + n;
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3; /* a byte order mark, which editors on Windows write */
    for (size_t number = 1; text < end; number++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *next = newline ? newline + 1 : end;
        const char *line = text;
        size_t length = trim(&line, (size_t)((newline ? newline : end) - text));
        if (length && !ml_nodefile_add(&file, line, length, 1)) {
            char shown[80];
            printable(shown, sizeof shown, line, length);
            ml_nodefile_free(&file);
            return ml_fail(err, ML_RUN_LOST, "line %zu is no host name: '%s'", number, shown);
        }
        text = next;
    }
    if (!file.n_hosts) {
        ml_nodefile_free(&file);
        return ml_fail(err, ML_RUN_LOST, "it names no host");
    }
    *out_file = file;
    return ML_OK;
}

static enum ml_status read_all(int fd, struct ml_buffer *content, struct ml_error *err)
{
    ssize_t n;
    do {
        n = read(fd, ml_buffer_reserve(content, 1 << 16), 1 << 16);
        if (n < 0 && errno != EINTR)
            return ml_fail_errno(err, ML_RUN_LOST, "read");
        if (n > 0)
            content->length += (size_t)n;
        if (content->length > MAX_FILE_B)
            return ml_fail(err, ML_RUN_LOST, "it is larger than %u MiB", MAX_FILE_B >> 20);
    } while (n != 0);
    return ML_OK;
}

enum ml_status ml_nodefile_read(const char *path, struct ml_nodefile *out_file,
                                struct ml_error *err)
{
    struct ml_error why = {0};
    struct ml_buffer content = {0};
    ML_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ml_fail_errno(err, ML_RUN_LOST, "node file %.300s", path);
    enum ml_status status = read_all(fd, &content, &why);
    if (status == ML_OK)
        status = ml_nodefile_parse(content.data, content.length, out_file, &why);
    if (status != ML_OK)
        ml_fail(err, status, "node file %.300s: %.180s", path, why.text);
    ml_buffer_free(&content);
    return status;
}

int ml_nodefile_find(const struct ml_nodefile *file, const char *name)
{
    char key[MAX_NAME + 1];
    size_t n = strlen(name);
    if (!is_host_name(name, n))
        return -1;
    normalize(name, n, key);
    const struct ml_name *found = resolve(file, key);
    return found ? found->host : -1;
}

void ml_nodefile_free(struct ml_nodefile *file)
{
    if (!file)
        return;
    for (size_t i = 0; i < file->n_hosts; i++)
        free(file->hosts[i]);
    free(file->hosts);
    free(file->slots);
    ml_names_close(file->names);
    *file = (struct ml_nodefile){0};
}
