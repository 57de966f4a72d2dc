/* Libraries that survivor.c opens, calls and closes. */
long addend(long n);

long addend(long n)
{
    return n + ADDEND;
}
