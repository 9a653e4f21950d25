/* Bytes in UTF-8: whether they are, where their lines end, what is blank at either end, and the text they make. */

#include "record.h"

/* Of a sign that is not ASCII, the bytes it takes; 0 where it is no UTF-8 as the language reads it. */
static int sign(const unsigned char *at, const unsigned char *end)
{
    unsigned char first = at[0], low = 0x80, high = 0xbf;
    int size = first >= 0xc2 && first <= 0xdf ? 2 : (first & 0xf0) == 0xe0 ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
    if (!size || end - at < size) return 0;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f; /* no half of a pair */
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
    if (at[1] < low || at[1] > high) return 0;
    for (int i = 2; i < size; i++)
        if ((at[i] & 0xc0) != 0x80) return 0;
    return size;
}

#define HIGH 0x8080808080808080ULL /* the bits that no byte of ASCII has */

static int all_ascii(const char *at, Py_ssize_t size)
{
    unsigned long long eight;
    for (; size >= 8; at += 8, size -= 8) {
        memcpy(&eight, at, 8);
        if (eight & HIGH) return 0;
    }
    for (; size > 0; at++, size--)
        if (*at & 0x80) return 0;
    return 1;
}

PyObject *is_plain(PyObject *self, PyObject *given)
{
    if (!PyBytes_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "is_plain(bytes)");
        return NULL;
    }
    Py_ssize_t length = PyBytes_GET_SIZE(given);
    const unsigned char *at = (const unsigned char *)PyBytes_AS_STRING(given), *end = at + length;
    if (memchr(at, 0, (size_t)length) || memchr(at, '\r', (size_t)length)) Py_RETURN_FALSE;
    while (at < end) {
        if (*at < 0x80) {
            unsigned long long four[4];
            while (end - at >= 32 && (memcpy(four, at, 32), !((four[0] | four[1] | four[2] | four[3]) & HIGH))) at += 32;
            while (at < end && *at < 0x80) at++;
            continue;
        }
        int size = sign(at, end);
        if (!size || (at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf)) Py_RETURN_FALSE;
        at += size;
    }
    Py_RETURN_TRUE;
}

PyObject *without_returns(PyObject *self, PyObject *given)
{
    if (!PyBytes_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "without_returns(bytes)");
        return NULL;
    }
    const char *from = PyBytes_AS_STRING(given), *end = from + PyBytes_GET_SIZE(given);
    PyObject *made = PyBytes_FromStringAndSize(NULL, PyBytes_GET_SIZE(given));
    if (!made) return NULL;
    char *data = PyBytes_AS_STRING(made), *into = data;
    while (from < end) {
        const char *found = memchr(from, '\r', (size_t)(end - from));
        size_t size = (size_t)((found ? found : end) - from);
        memcpy(into, from, size);
        into += size;
        if (!found) break;
        from = found + 1;
        if (from == end || *from != '\n') *into++ = '\n';
    }
    if (_PyBytes_Resize(&made, into - data) < 0) return NULL;
    return made;
}

/* What bytes.count tells in ten times the time. */
PyObject *line_ends(PyObject *self, PyObject *given)
{
    if (!PyBytes_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "line_ends(bytes)");
        return NULL;
    }
    const char *data = PyBytes_AS_STRING(given);
    Py_ssize_t size = PyBytes_GET_SIZE(given), count = 0;
    while (size > 0) { /* so many at once as one byte can count */
        int some = size < 255 ? (int)size : 255;
        unsigned char here = 0;
        for (int i = 0; i < some; i++) here += data[i] == '\n';
        count += here;
        data += some;
        size -= some;
    }
    return PyLong_FromSsize_t(count);
}

static int ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f); }

/* Of the sign of `size` bytes at `at`, whether it is a blank. */
static int wide_space(const unsigned char *at, int size)
{
    if (size == 2) return at[0] == 0xc2 && (at[1] == 0x85 || at[1] == 0xa0);
    if (at[0] == 0xe1) return at[1] == 0x9a && at[2] == 0x80;
    if (at[0] == 0xe3) return at[1] == 0x80 && at[2] == 0x80;
    if (at[0] != 0xe2) return 0;
    if (at[1] == 0x80) return at[2] <= 0x8a || at[2] == 0xa8 || at[2] == 0xa9 || at[2] == 0xaf;
    return at[1] == 0x81 && at[2] == 0x9f;
}

void trim_end(const char *data, Py_ssize_t begin, Py_ssize_t *end)
{
    const unsigned char *bytes = (const unsigned char *)data;
    for (;;) {
        while (*end > begin && ascii_space(data[*end - 1])) --*end;
        if (*end - begin >= 2 && bytes[*end - 1] >= 0x80) {
            if (bytes[*end - 2] == 0xc2 && wide_space(bytes + *end - 2, 2)) {
                *end -= 2;
                continue;
            }
            if (*end - begin >= 3 && bytes[*end - 3] >= 0xe1 && wide_space(bytes + *end - 3, 3)) {
                *end -= 3;
                continue;
            }
        }
        return;
    }
}

void trim(const char *data, Py_ssize_t *begin, Py_ssize_t *end)
{
    const unsigned char *bytes = (const unsigned char *)data;
    for (;;) {
        while (*begin < *end && ascii_space(data[*begin])) ++*begin;
        if (*end - *begin >= 2 && bytes[*begin] >= 0xc2) {
            if (bytes[*begin] == 0xc2 && wide_space(bytes + *begin, 2)) {
                *begin += 2;
                continue;
            }
            if (*end - *begin >= 3 && bytes[*begin] >= 0xe1 && wide_space(bytes + *begin, 3)) {
                *begin += 3;
                continue;
            }
        }
        break;
    }
    trim_end(data, *begin, end);
}

/* Fills `into` with the signs of `at`; 0 where they are no UTF-8. */
#define FILL(type)                                                                                                     \
    do {                                                                                                               \
        type *into = PyUnicode_DATA(text);                                                                             \
        while (at < last) {                                                                                            \
            unsigned long long eight;                                                                                  \
            while (last - at >= 8 && (memcpy(&eight, at, 8), !(eight & HIGH))) {                                       \
                for (int i = 0; i < 8; i++) into[i] = at[i];                                                           \
                into += 8, at += 8;                                                                                    \
            }                                                                                                          \
            if (at == last) break;                                                                                     \
            if (*at < 0x80) {                                                                                          \
                *into++ = *at++;                                                                                       \
                continue;                                                                                              \
            }                                                                                                          \
            int size = sign(at, last);                                                                                 \
            if (!size) goto other;                                                                                     \
            Py_UCS4 c = *at & (0xff >> (size + 1));                                                                    \
            for (int i = 1; i < size; i++) c = (c << 6) | (at[i] & 0x3f);                                              \
            *into++ = (type)c;                                                                                         \
            at += size;                                                                                                \
        }                                                                                                              \
    } while (0)

PyObject *text_of(const char *data, Py_ssize_t begin, Py_ssize_t end)
{
    Py_ssize_t size = end - begin, more = 0;
    if (size == 1) return PyUnicode_DecodeUTF8(data + begin, size, NULL);
    PyObject *text;
    if (all_ascii(data + begin, size)) {
        text = PyUnicode_New(size, 127);
        if (text && size) memcpy(PyUnicode_DATA(text), data + begin, (size_t)size);
        return text;
    }
    const unsigned char *from = (const unsigned char *)data + begin, *at = from, *last = from + size;
    unsigned char most = 0;
    for (Py_ssize_t i = 0; i < size; i++) {
        most = from[i] > most ? from[i] : most;
        more += (from[i] & 0xc0) == 0x80;
    }
    text = PyUnicode_New(size - more, most < 0xc4 ? 0xff : most < 0xf0 ? 0xffff : 0x10ffff);
    if (!text) return NULL;
    if (PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND)
        FILL(Py_UCS1);
    else if (PyUnicode_KIND(text) == PyUnicode_2BYTE_KIND)
        FILL(Py_UCS2);
    else
        FILL(Py_UCS4);
    return text;
other: /* the language's own decoder says what is wrong */
    Py_DECREF(text);
    return PyUnicode_DecodeUTF8(data + begin, size, NULL);
}

int put_bytes(Buffer *into, const char *data, Py_ssize_t size)
{
    if (into->length + size + 4 > into->room) {
        Py_ssize_t room = 2 * (into->length + size) + 4096;
        char *more = PyMem_Realloc(into->data, (size_t)room);
        if (!more) {
            PyErr_NoMemory();
            return -1;
        }
        into->data = more;
        into->room = room;
    }
    memcpy(into->data + into->length, data, (size_t)size);
    into->length += size;
    return 0;
}
