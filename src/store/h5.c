#include "store/h5.h"

#include "base/memory.h"
#include "base/own.h"

#include <stdarg.h>
#include <string.h>
#include <sys/statvfs.h>

#define ATTRIBUTE_TEXT_MAX 32767 /* HDF5 keeps an object's header messages under 64 KiB */
#define WHY_SIZE 100
#define LITTLE_ROOM_B (4 << 20)

#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
#define HAVE_FILE_LOCKING 1
#endif

/* Keeps the innermost description (the others only say through which functions it came), and of
 * "file write failed: time = ..., error message = 'No space left on device', ..." the message. */
static herr_t innermost(unsigned n, const H5E_error2_t *e, void *out)
{
    static const char quote[] = "error message = '";
    if (n != 0 || !e->desc)
        return 0;
    const char *message = strstr(e->desc, quote);
    const char *from = message ? message + sizeof quote - 1 : e->desc;
    snprintf(out, WHY_SIZE, "%.*s", (int)strcspn(from, message ? "'" : "\n"), from);
    return 0;
}

/* MPI-IO tells of a failed write, and not that the disk is full. */
static const char *room_left(const char *path, char *text, size_t size)
{
    struct statvfs fs;
    *text = 0;
    if (statvfs(path, &fs) == 0 && fs.f_bavail * fs.f_frsize < LITTLE_ROOM_B)
        snprintf(text, size, " (%llu KiB are left on the file system)",
                 (unsigned long long)(fs.f_bavail * fs.f_frsize / 1024));
    return text;
}

enum ml_status ml_h5_fail(struct ml_error *err, const char *path, const char *format, ...)
{
    char what[128], room[64], why[WHY_SIZE] = "no reason given";
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, why);
    H5Eclear2(H5E_DEFAULT);
    return ml_fail(err, ML_RUN_LOST, "%.200s: %s: %s%s", path, what, why,
                   room_left(path, room, sizeof room));
}

herr_t ml_h5_set_versions(hid_t file_access)
{
#if H5_VERSION_GE(1, 10, 2)
    return H5Pset_libver_bounds(file_access, H5F_LIBVER_V18, H5F_LIBVER_V110);
#else
    return H5Pset_libver_bounds(file_access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
#endif
}

herr_t ml_h5_set_no_locking(hid_t file_access)
{
#ifdef HAVE_FILE_LOCKING
    return H5Pset_file_locking(file_access, 0, 1);
#else
    (void)file_access;
    return 0;
#endif
}

hid_t ml_h5_text_type(size_t width, bool utf8)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0)
        return type;
    if (H5Tset_size(type, width) < 0 || H5Tset_strpad(type, H5T_STR_NULLTERM) < 0 ||
        H5Tset_cset(type, utf8 ? H5T_CSET_UTF8 : H5T_CSET_ASCII) < 0) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

bool ml_h5_is_ascii(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] >= 0x80)
            return false;
    }
    return true;
}

static herr_t write_attribute(hid_t loc, const char *name, hid_t type, hid_t space,
                              const void *value)
{
    if (type < 0 || space < 0)
        return -1;
    htri_t exists = H5Aexists(loc, name);
    if (exists < 0 || (exists > 0 && H5Adelete(loc, name) < 0))
        return -1;
    hid_t attribute = H5Acreate2(loc, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0)
        return -1;
    herr_t written = H5Awrite(attribute, type, value);
    return H5Aclose(attribute) < 0 ? -1 : written;
}

herr_t ml_h5_write_text(hid_t loc, const char *name, const char *text)
{
    ML_AUTO_FREE char *cut = strndup(text, ATTRIBUTE_TEXT_MAX);
    if (!cut)
        return -1;
    size_t n = strlen(cut);
    ML_AUTO_HID hid_t type = ml_h5_text_type(n + 1, !ml_h5_is_ascii(cut, n));
    ML_AUTO_HID hid_t space = H5Screate(H5S_SCALAR);
    return write_attribute(loc, name, type, space, cut);
}

herr_t ml_h5_write_int64(hid_t loc, const char *name, int64_t value)
{
    ML_AUTO_HID hid_t space = H5Screate(H5S_SCALAR);
    return write_attribute(loc, name, H5T_STD_I64LE, space, &value);
}

herr_t ml_h5_write_real(hid_t loc, const char *name, double value)
{
    ML_AUTO_HID hid_t space = H5Screate(H5S_SCALAR);
    return write_attribute(loc, name, H5T_IEEE_F64LE, space, &value);
}

herr_t ml_h5_write_codes(hid_t loc, const struct ml_code *codes)
{
    int8_t values[128];
    hsize_t n = 0;
    struct ml_buffer meanings = {0};
    for (; n < sizeof values && codes[n].meaning; n++) {
        values[n] = (int8_t)codes[n].value;
        ml_buffer_printf(&meanings, "%s%s", n ? " " : "", codes[n].meaning);
    }
    ml_buffer_append_text(&meanings, "");
    ML_AUTO_HID hid_t space = H5Screate_simple(1, &n, NULL);
    herr_t written = write_attribute(loc, "flag_values", H5T_STD_I8LE, space, values);
    if (written >= 0)
        written = ml_h5_write_text(loc, "flag_meanings", meanings.data);
    ml_buffer_free(&meanings);
    return written;
}
