/* One RIS record at once: its lines cut into fields, wrapped lines put together, values of one tag beside one another.

   Takes only what needs no judgement: a TY line, tags at their usual place, plain wrapped lines, an ER line. Everything
   else is handed back as None and read in Python (ris.py), which takes the same records the same way without this
   module; the tests compare the two. What the tags are allowed is a table made in ris_whole.py. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

enum { ONCE = 1, SEVERAL = 2, AUTHOR = 4, KEYWORD = 8, ON_ONE_LINE = 16, IN_ONE_LINE = 32, KNOWN = 64, TEXT = 128 };
enum { MOST = 4096, PLACES = 26 * 36 }; /* fields of one record; tags of two letters or a letter and a digit */

typedef struct {
    int kind;
    const void *data;
    Py_ssize_t length;
} Text;

typedef struct {
    int tag; /* its place in the table */
    Py_ssize_t begin, end; /* of the value without blanks, where it is of one line */
    PyObject *made; /* the value put together, where it is not */
    int lines; /* whether it holds line ends */
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

/* The place in the table of a tag's two letters, or -1. */
static int place(Py_UCS4 first, Py_UCS4 second)
{
    if (first < 'A' || first > 'Z') return -1;
    if (second >= 'A' && second <= 'Z') return (int)((first - 'A') * 36 + second - 'A');
    if (second >= '0' && second <= '9') return (int)((first - 'A') * 36 + 26 + second - '0');
    return -1;
}

#define PLACE(a, b) ((a - 'A') * 36 + (b - 'A'))
enum { TY = PLACE('T', 'Y'), ER = PLACE('E', 'R'), UR = PLACE('U', 'R'), DO = PLACE('D', 'O') };

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

static PyObject *value_of(PyObject *whole, const Field *field)
{
    if (field->made) return Py_NewRef(field->made);
    return PyUnicode_Substring(whole, field->begin, field->end);
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
    field->lines = 0;
    for (Py_ssize_t i = begin; i < end && !field->lines; i++) field->lines = joined->data[i] == '\n';
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
        }
        if (tag >= 0) {
            if ((tag == TY) != (count == 0) || count == MOST) return 0;
            if (!(table[tag] & KNOWN) && count && table[fields[count - 1].tag] & TEXT) return 0;
            if (wrapped && (told = made(joined, &fields[count - 1])) <= 0) return told;
            wrapped = blank = 0;
            Field *field = &fields[count++];
            *filled = count;
            field->tag = tag;
            field->begin = end - at > 5 ? at + 6 : end;
            field->end = end;
            field->made = NULL;
            field->lines = 0;
            stripped(text, &field->begin, &field->end);
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

static PyObject *by_tag(PyObject *whole, const Field *fields, int count)
{
    PyObject *all = PyDict_New();
    for (int i = 0; all && i < count; i++) {
        char name[2] = {(char)('A' + fields[i].tag / 36), 0};
        int second = fields[i].tag % 36;
        name[1] = (char)(second < 26 ? 'A' + second : '0' + second - 26);
        PyObject *key = PyUnicode_FromStringAndSize(name, 2), *value = value_of(whole, &fields[i]), *list = NULL;
        int bad = !key || !value;
        if (!bad && (list = PyDict_GetItemWithError(all, key)) == NULL) {
            if (!PyErr_Occurred() && (list = PyList_New(0)) != NULL) {
                bad = PyDict_SetItem(all, key, list) < 0;
                Py_DECREF(list); /* the dictionary holds it */
            } else
                bad = 1;
        }
        if (!bad) bad = PyList_Append(list, value) < 0;
        Py_XDECREF(key);
        Py_XDECREF(value);
        if (bad) Py_CLEAR(all);
    }
    return all;
}

/* Key, values, authors and keywords of an ordinary record in `out`; 1, or 0 where it is not one, -1 on an error. */
static int in_order(PyObject *whole, const Field *fields, int count, const unsigned char *table, PyObject **out)
{
    static PyObject *and_ = NULL;
    char key[2 * MOST];
    static unsigned met[PLACES], records; /* in which record a tag was met last, and where its value stands */
    static int where[PLACES];
    int length = 0, lists[2] = {-1, -1}, long_keyword = 0;
    if (!++records) memset(met, 0, sizeof met), records = 1;
    if (!and_ && !(and_ = PyUnicode_FromOrdinal(0xdcff))) return -1;
    PyObject *values = PyList_New(0), *authors = PyList_New(0), *keywords = PyList_New(0), *value = NULL;
    if (!values || !authors || !keywords) goto error;
    for (int i = 0; i < count; i++) {
        const Field *field = &fields[i];
        int can = table[field->tag], tag = field->tag, again = met[tag] == records;
        if (!(can & (ONCE | SEVERAL | AUTHOR | KEYWORD))) {
            if (!field->made && field->begin == field->end) continue; /* an empty field of no meaning */
            goto not;
        }
        if (field->lines && (can & IN_ONE_LINE)) goto not;
        if (again && (can & ONCE)) goto not;
        value = value_of(whole, field);
        if (!value) goto error;
        if (field->lines && (can & ON_ONE_LINE)) {
            PyObject *end = PyUnicode_FromOrdinal('\n'), *blank = PyUnicode_FromOrdinal(' ');
            PyObject *line = end && blank ? PyUnicode_Replace(value, end, blank, -1) : NULL;
            Py_XDECREF(end);
            Py_XDECREF(blank);
            Py_SETREF(value, line);
            if (!value) goto error;
        }
        if (can & (AUTHOR | KEYWORD)) {
            PyObject *list = can & AUTHOR ? authors : keywords;
            int *own = &lists[!(can & AUTHOR)];
            if (*own >= 0 && *own != tag) goto not; /* another tag for the same */
            if (again && (field->lines || (long_keyword && (can & KEYWORD)))) goto not;
            if (can & KEYWORD) long_keyword |= field->lines;
            *own = tag;
            if (PyList_Append(list, value) < 0) goto error;
        } else if (again) {
            Py_ssize_t at = where[tag];
            PyObject *one = PyUnicode_Concat(PyList_GET_ITEM(values, at), and_);
            PyObject *both = one ? PyUnicode_Concat(one, value) : NULL;
            Py_XDECREF(one);
            if (!both || PyList_SetItem(values, at, both) < 0) goto error;
        }
        if (!again) {
            met[tag] = records;
            where[tag] = (int)PyList_GET_SIZE(values);
            if (PyList_Append(values, value) < 0) goto error;
            int second = tag % 36;
            key[length++] = (char)('A' + tag / 36);
            key[length++] = (char)(second < 26 ? 'A' + second : '0' + second - 26);
        }
        Py_CLEAR(value);
    }
    out[0] = PyUnicode_FromStringAndSize(key, length);
    out[1] = values;
    out[2] = authors;
    out[3] = keywords;
    return out[0] ? 1 : -1;
not:
    Py_XDECREF(value);
    Py_DECREF(values);
    Py_DECREF(authors);
    Py_DECREF(keywords);
    return 0;
error:
    Py_XDECREF(value);
    Py_XDECREF(values);
    Py_XDECREF(authors);
    Py_XDECREF(keywords);
    return -1;
}

static PyObject *take(PyObject *self, PyObject *const *given, Py_ssize_t many)
{
    static Field fields[MOST]; /* one record at a time: the interpreter's lock is held */
    static Buffer joined;
    int filled = 0;
    PyObject *result = NULL, *parts[4] = {NULL, NULL, NULL, NULL};
    Py_ssize_t skipped = 0, lines = 0, over = 0;
    if (many != 4 || !PyUnicode_Check(given[0]) || !PyBytes_Check(given[2]) || PyBytes_GET_SIZE(given[2]) != PLACES) {
        PyErr_SetString(PyExc_TypeError, "take(text, at, table, ordinary)");
        return NULL;
    }
    Py_ssize_t at = PyLong_AsSsize_t(given[1]);
    if (at < 0) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "at must not be negative");
        return NULL;
    }
    const unsigned char *table = (const unsigned char *)PyBytes_AS_STRING(given[2]);
    Text text = {PyUnicode_KIND(given[0]), PyUnicode_DATA(given[0]), PyUnicode_GET_LENGTH(given[0])};
    int count = fields_of(&text, at, table, fields, &joined, &filled, &skipped, &lines, &over);
    if (count > 0) {
        int whole = given[3] == Py_True ? in_order(given[0], fields, count, table, parts) : 0;
        if (whole > 0)
            result = Py_BuildValue("NNNNnnn", parts[0], parts[1], parts[2], parts[3], over, skipped, lines);
        else if (whole == 0 && (parts[1] = by_tag(given[0], fields, count)) != NULL)
            result = Py_BuildValue("ONOOnnn", Py_None, parts[1], Py_None, Py_None, over, skipped, lines);
    } else if (count == 0)
        result = Py_NewRef(Py_None);
    else if (!PyErr_Occurred())
        PyErr_NoMemory();
    for (int i = 0; i < filled; i++) Py_CLEAR(fields[i].made);
    return result;
}

static PyMethodDef methods[] = {
    {"take", (PyCFunction)(void (*)(void))take, METH_FASTCALL,
     "take(text, at, table, ordinary): the record behind the line end text[at], or None"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_whole", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__whole(void) { return PyModule_Create(&definition); }
