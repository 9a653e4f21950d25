/* One RIS record at once: its lines cut into fields, wrapped lines put together, and the record made of them (record.c).

   Takes only what needs no judgement: a TY line, tags at their usual place, plain wrapped lines, an ER line. Everything
   else is handed back as None and read in Python (ris.py), which takes the same records the same way without this
   module; the tests compare the two. What the tags are allowed is a table made in ris_whole.py. */

#include "record.h"

enum { KNOWN = 1, TEXT = 2 };

typedef struct {
    int kind;
    const void *data;
    Py_ssize_t length;
} Text;

typedef struct {
    int tag; /* its place in the table */
    Py_ssize_t begin, end; /* of the value without blanks, where it is of one line */
    PyObject *made; /* the value put together, where it is not */
} Field;

#define AT(text, i) PyUnicode_READ((text)->kind, (text)->data, (i))

static Py_ssize_t line_end(const Text *text, Py_ssize_t at)
{
    if (text->kind == PyUnicode_1BYTE_KIND) {
        const char *data = text->data, *found = memchr(data + at, '\n', (size_t)(text->length - at));
        return found ? found - data : -1;
    }
    if (text->kind == PyUnicode_2BYTE_KIND) {
        const Py_UCS2 *data = text->data;
        for (; at < text->length; at++)
            if (data[at] == '\n') return at;
        return -1;
    }
    const Py_UCS4 *data = text->data;
    for (; at < text->length; at++)
        if (data[at] == '\n') return at;
    return -1;
}

static void stripped(const Text *text, Py_ssize_t *begin, Py_ssize_t *end)
{
    while (*begin < *end && Py_UNICODE_ISSPACE(AT(text, *begin))) ++*begin;
    while (*end > *begin && Py_UNICODE_ISSPACE(AT(text, *end - 1))) --*end;
}

enum { TY = TAG('T', 'Y'), ER = TAG('E', 'R'), UR = TAG('U', 'R'), DO = TAG('D', 'O') };

/* Whether a line begins with the tag of PubMed's number as our own writer has it. */
static int pmid_line(const Text *text, Py_ssize_t at, Py_ssize_t end)
{
    static const char head[] = "PMID  - ";
    if (end - at < 8) return 0;
    for (int i = 0; i < 8; i++)
        if (AT(text, at + i) != (Py_UCS4)head[i]) return 0;
    return 1;
}

static int blank_of(Py_UCS4 c) { return c == ' ' || c == '\t' || c == 0xa0; }

/* Whether a line may be a tag that is not at its usual place. */
static int loose(const Text *text, Py_ssize_t at, Py_ssize_t end)
{
    for (int i = 0; i < 6 && at < end && blank_of(AT(text, at)); i++) at++;
    if (end - at < 3) return 0;
    if (place(AT(text, at), AT(text, at + 1)) < 0) return 0;
    if (end - at > 4 && AT(text, at) == 'P' && AT(text, at + 1) == 'M' && AT(text, at + 2) == 'I' && AT(text, at + 3) == 'D')
        at += 4;
    else
        at += 2;
    for (int i = 0; i < 4 && at < end && blank_of(AT(text, at)); i++) at++;
    if (at >= end) return 0;
    Py_UCS4 c = AT(text, at);
    return c == '-' || c == 0x2013 || c == 0x2014;
}

/* Whether a line behind a blank one may be what databases print between two records. */
static int between(const Text *text, Py_ssize_t at, Py_ssize_t end)
{
    static const char *const words[] = {"record", "provider", "content", "database", "search", NULL};
    Py_UCS4 c = AT(text, at);
    if (c == '%' || c == '-' || c == '=' || c == '_' || c == '<' || Py_UNICODE_ISDECIMAL(c) || c > 127) return 1;
    for (int w = 0; words[w]; w++) {
        Py_ssize_t i = 0;
        while (words[w][i] && at + i < end && (AT(text, at + i) | 32) == (Py_UCS4)words[w][i]) i++;
        if (!words[w][i]) return 1;
    }
    return 0;
}

typedef struct {
    Py_UCS4 *data;
    Py_ssize_t length, room;
} Buffer;

static int put(Buffer *into, const Text *text, Py_ssize_t begin, Py_ssize_t end)
{
    if (into->length + end - begin + 4 > into->room) {
        Py_ssize_t room = 2 * (into->length + end - begin) + 4096;
        Py_UCS4 *data = PyMem_Realloc(into->data, (size_t)room * sizeof(Py_UCS4));
        if (!data) return -1;
        into->data = data;
        into->room = room;
    }
    for (; begin < end; begin++) into->data[into->length++] = AT(text, begin);
    return 0;
}

/* Ends the value in `joined`, made of several lines; -1 on an error, 0 where it needs judgement. */
static int made(Buffer *joined, Field *field)
{
    Py_ssize_t begin = 0, end = joined->length;
    while (begin < end && Py_UNICODE_ISSPACE(joined->data[begin])) begin++;
    while (end > begin && Py_UNICODE_ISSPACE(joined->data[end - 1])) end--;
    if ((field->tag == UR || field->tag == DO) && end - begin >= 3 && joined->data[end - 1] == '-' &&
        joined->data[end - 2] == ' ' && joined->data[end - 3] == ' ')
        return 0;
    field->made = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, joined->data + begin, end - begin);
    joined->length = 0;
    return field->made ? 1 : -1;
}

/* The fields of the record behind the line end `text[at]`. Returns how many; 0 where there is none to take, -1 on error. */
static int fields_of(const Text *text, Py_ssize_t at, const unsigned char *table, Field *fields, Buffer *joined,
                     int *filled, Py_ssize_t *skipped, Py_ssize_t *lines, Py_ssize_t *over)
{
    int count = 0, wrapped = 0, blank = 0, told;
    Py_ssize_t number = 0;
    if (at >= text->length || AT(text, at) != '\n') return 0;
    at++;
    while (at < text->length && AT(text, at) == '\n') at++, number++;
    *skipped = number;
    for (;; ) {
        Py_ssize_t end = at < text->length ? line_end(text, at) : -1;
        if (end < 0) return 0;
        number++;
        int tag = -1;
        int usual = end - at >= 5 && AT(text, at + 4) == '-' && AT(text, at + 3) == ' ' && AT(text, at + 2) == ' ';
        if (usual) {
            int here = place(AT(text, at), AT(text, at + 1));
            if (here == ER) {
                if (!count) return 0;
                for (Py_ssize_t i = at + 5; i < end; i++)
                    if (AT(text, i) != ' ' && AT(text, i) != '\t') return 0;
                if (wrapped && (told = made(joined, &fields[count - 1])) <= 0) return told;
                *lines = number;
                *over = end;
                return count;
            }
            if (here < 0 || (end - at > 5 ? AT(text, at + 5) != ' ' : !(table[here] & KNOWN))) return 0;
            tag = here;
        } else if (pmid_line(text, at, end))
            tag = PMID_TAG;
        if (tag >= 0) {
            if ((tag == TY) != (count == 0) || count == MOST) return 0;
            if (!(table[tag] & KNOWN) && count && table[fields[count - 1].tag] & TEXT) return 0;
            if (wrapped && (told = made(joined, &fields[count - 1])) <= 0) return told;
            wrapped = blank = 0;
            Field *field = &fields[count++];
            *filled = count;
            field->tag = tag;
            field->begin = tag == PMID_TAG ? at + 8 : end - at > 5 ? at + 6 : end;
            field->end = end;
            field->made = NULL;
            stripped(text, &field->begin, &field->end);
            /* perhaps a field on the line of another one, without a value */
            if ((tag == UR || tag == DO) && field->end - field->begin >= 3 && AT(text, field->end - 1) == '-' &&
                AT(text, field->end - 2) == ' ' && AT(text, field->end - 3) == ' ')
                return 0;
        } else {
            if (count < 2) return 0; /* before TY, or behind it */
            Py_ssize_t begin = at, last = end;
            stripped(text, &begin, &last);
            if (begin == last)
                blank = 1;
            else {
                if (loose(text, at, end) || (blank && between(text, begin, last))) return 0;
                Field *field = &fields[count - 1];
                if (!wrapped) {
                    wrapped = 1;
                    joined->length = 0;
                    Py_ssize_t first = field->begin, until = field->end;
                    /* blanks at the end of the first line stand before a line end, not before a blank */
                    while (until < text->length && AT(text, until) != '\n') until++;
                    if (put(joined, text, first, until) < 0) return -1;
                }
                int indented = AT(text, at) == ' ' || AT(text, at) == '\t';
                if (blank) {
                    joined->data[joined->length++] = '\n';
                    joined->data[joined->length++] = '\n';
                } else if (indented) {
                    while (joined->length && Py_UNICODE_ISSPACE(joined->data[joined->length - 1])) joined->length--;
                    joined->data[joined->length++] = ' ';
                } else
                    joined->data[joined->length++] = '\n';
                /* of a line that is not indented, blanks at its end go as well: its text is taken without them */
                if (put(joined, text, begin, last) < 0) return -1;
                blank = 0;
            }
        }
        at = end + 1;
    }
}

static PyObject *take(PyObject *self, PyObject *const *given, Py_ssize_t many)
{
    static Field found[MOST]; /* one record at a time: the interpreter's lock is held while they are in use */
    static Buffer joined;
    static Fields usual;
    static int busy;
    int filled = 0;
    PyObject *result = NULL, *record = NULL, *fields_left = NULL;
    Py_ssize_t skipped = 0, lines = 0, over = 0;
    if (many != 5 || !PyUnicode_Check(given[0]) || !PyBytes_Check(given[2]) || PyBytes_GET_SIZE(given[2]) != CODES) {
        PyErr_SetString(PyExc_TypeError, "take(text, at, table, tally, number)");
        return NULL;
    }
    Py_ssize_t at = PyLong_AsSsize_t(given[1]), number = PyLong_AsSsize_t(given[4]);
    if (at < 0 || number < 0) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "at and number must not be negative");
        return NULL;
    }
    const unsigned char *table = (const unsigned char *)PyBytes_AS_STRING(given[2]);
    Text text = {PyUnicode_KIND(given[0]), PyUnicode_DATA(given[0]), PyUnicode_GET_LENGTH(given[0])};
    int count = fields_of(&text, at, table, found, &joined, &filled, &skipped, &lines, &over);
    if (count <= 0) {
        for (int i = 0; i < filled; i++) Py_CLEAR(found[i].made);
        if (count < 0) return PyErr_Occurred() ? NULL : PyErr_NoMemory();
        Py_RETURN_NONE;
    }
    /* Python runs while a record is built, and may come back here from another thread. */
    Fields *fields = busy ? PyMem_Calloc(1, sizeof *fields) : &usual;
    if (fields == &usual) busy = 1;
    int done = fields ? DONE : FAILED;
    for (int i = 0; i < count; i++) {
        PyObject *value = found[i].made;
        found[i].made = NULL;
        if (done == DONE && !value) value = PyUnicode_Substring(given[0], found[i].begin, found[i].end);
        if (done == DONE)
            done = add(fields, found[i].tag, NULL, value) < 0 ? FAILED : DONE;
        else
            Py_XDECREF(value);
    }
    if (done == DONE) done = build(fields, given[3], number + skipped + 1, number + lines, &record);
    if (done == JUDGE && !(fields_left = dictionary(fields))) done = FAILED;
    if (fields) forget(fields);
    if (fields == &usual)
        busy = 0;
    else
        PyMem_Free(fields);
    if (done == DONE)
        result = Py_BuildValue("NOnnn", record, Py_None, over, number + skipped + 1, number + lines);
    else if (done == JUDGE)
        result = Py_BuildValue("ONnnn", Py_None, fields_left, over, number + skipped + 1, number + lines);
    else if (!PyErr_Occurred())
        PyErr_NoMemory();
    return result;
}

/* How many line ends a text has: what str.count tells in ten times the time. */
static PyObject *line_ends(PyObject *self, PyObject *given)
{
    if (!PyUnicode_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "line_ends(text)");
        return NULL;
    }
    Py_ssize_t size = PyUnicode_GET_LENGTH(given), count = 0;
    if (PyUnicode_KIND(given) == PyUnicode_1BYTE_KIND) {
        const Py_UCS1 *data = PyUnicode_1BYTE_DATA(given);
        for (Py_ssize_t i = 0; i < size; i++) count += data[i] == '\n';
    } else if (PyUnicode_KIND(given) == PyUnicode_2BYTE_KIND) {
        const Py_UCS2 *data = PyUnicode_2BYTE_DATA(given);
        for (Py_ssize_t i = 0; i < size; i++) count += data[i] == '\n';
    } else {
        const Py_UCS4 *data = PyUnicode_4BYTE_DATA(given);
        for (Py_ssize_t i = 0; i < size; i++) count += data[i] == '\n';
    }
    return PyLong_FromSsize_t(count);
}

static PyMethodDef methods[] = {
    {"take", (PyCFunction)(void (*)(void))take, METH_FASTCALL,
     "take(text, at, table, tally, number): the record behind the line end text[at], or its fields, or None"},
    {"entry", (PyCFunction)(void (*)(void))entry, METH_FASTCALL,
     "entry(text, at, end, strings, tally, number): the record of a BibTeX entry and its lines, or None"},
    {"entry_parts", (PyCFunction)(void (*)(void))entry_parts, METH_FASTCALL,
     "entry_parts(codes, callables): what fields of BibTeX mean"},
    {"line_ends", line_ends, METH_O, "line_ends(text): how many line ends it has"},
    {"record_parts", (PyCFunction)(void (*)(void))record_parts, METH_FASTCALL,
     "record_parts(class, callables): what records are made of"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_whole", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__whole(void) { return PyModule_Create(&definition); }
