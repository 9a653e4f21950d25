/* One RIS record at once: its lines cut into fields, wrapped lines put together, and the record made of them (record.c).

   Takes only what needs no judgement: a TY line, tags at their usual place, plain wrapped lines, an ER line. Everything
   else is handed back as None and read in Python (ris.py), which takes the same records the same way without this
   module; the tests compare the two. What the tags are allowed is a table made in ris_whole.py. */

#include "record.h"

enum { KNOWN = 1, TEXT = 2 };

typedef struct {
    const char *data; /* UTF-8 */
    Py_ssize_t length;
} Text;

typedef struct {
    int tag; /* its place in the table */
    Py_ssize_t begin, end; /* of the value without blanks, where it is of one line */
    PyObject *made; /* the value put together, where it is not */
} Field;

#define AT(text, i) ((unsigned char)(text)->data[i])

static Py_ssize_t line_end(const Text *text, Py_ssize_t at)
{
    const char *found = memchr(text->data + at, '\n', (size_t)(text->length - at));
    return found ? found - text->data : -1;
}

enum { TY = TAG('T', 'Y'), ER = TAG('E', 'R'), UR = TAG('U', 'R'), DO = TAG('D', 'O') };

/* Whether a line begins with the tag of PubMed's number as our own writer has it. */
static int pmid_line(const Text *text, Py_ssize_t at, Py_ssize_t end)
{
    static const char head[] = "PMID  - ";
    if (end - at < 8) return 0;
    for (int i = 0; i < 8; i++)
        if (AT(text, at + i) != (unsigned char)head[i]) return 0;
    return 1;
}

/* A blank that may stand about a tag: how many bytes it takes. */
static int blank_at(const Text *text, Py_ssize_t at, Py_ssize_t end)
{
    if (at >= end) return 0;
    if (AT(text, at) == ' ' || AT(text, at) == '\t') return 1;
    return end - at >= 2 && AT(text, at) == 0xc2 && AT(text, at + 1) == 0xa0 ? 2 : 0;
}

/* Whether a line may be a tag that is not at its usual place. */
static int loose(const Text *text, Py_ssize_t at, Py_ssize_t end)
{
    int size;
    for (int i = 0; i < 6 && (size = blank_at(text, at, end)); i++) at += size;
    if (end - at < 3) return 0;
    if (place(AT(text, at), AT(text, at + 1)) < 0) return 0;
    if (end - at > 4 && !memcmp(text->data + at, "PMID", 4))
        at += 4;
    else
        at += 2;
    for (int i = 0; i < 4 && (size = blank_at(text, at, end)); i++) at += size;
    if (at >= end) return 0;
    return AT(text, at) == '-' || (end - at >= 3 && AT(text, at) == 0xe2 && AT(text, at + 1) == 0x80 &&
                                   (AT(text, at + 2) == 0x93 || AT(text, at + 2) == 0x94)); /* dashes */
}

/* Whether a line behind a blank one may be what databases print between two records. */
static int between(const Text *text, Py_ssize_t at, Py_ssize_t end)
{
    static const char *const words[] = {"record", "provider", "content", "database", "search", NULL};
    unsigned char c = AT(text, at);
    if (c == '%' || c == '-' || c == '=' || c == '_' || c == '<' || (c >= '0' && c <= '9') || c > 127) return 1;
    for (int w = 0; words[w]; w++) {
        Py_ssize_t i = 0;
        while (words[w][i] && at + i < end && (AT(text, at + i) | 32) == (unsigned char)words[w][i]) i++;
        if (!words[w][i]) return 1;
    }
    return 0;
}

/* What stands before a record: lines of other text, each with its number from the first on. The field that Ovid prints
   behind a record ("NL  - Psychol Health", then a line with a link) is one of them, put together in `field`. */
enum { MOST_BEFORE = 64 };
typedef struct {
    int count, opened; /* of the lines; the place of the field among them, or -1 */
    struct { Py_ssize_t number, begin, end; } line[MOST_BEFORE];
    Buffer field;
} Before;

/* Whether a line has a tag that belongs to no record by itself, with a value: no author or title begins one here. */
static int stray_field(const Text *text, Py_ssize_t at, Py_ssize_t end, const unsigned char *table)
{
    if (end - at < 7 || memcmp(text->data + at + 2, "  - ", 4) || blank_at(text, at + 6, end)) return 0;
    int tag = place(AT(text, at), AT(text, at + 1));
    if (tag < 0 || !(table[tag] & KNOWN)) return 0;
    return tag != TY && tag != ER && tag != TAG('T', 'I') && tag != TAG('T', '1') && tag != TAG('A', 'U') &&
           tag != TAG('A', '1');
}

/* Whether a line is a number alone, with or without a point. */
static int number_alone(const Text *text, Py_ssize_t at, Py_ssize_t end)
{
    Py_ssize_t first = at;
    while (at < end && AT(text, at) >= '0' && AT(text, at) <= '9') at++;
    return at > first && (at == end || (AT(text, at) == '.' && at + 1 == end));
}

/* Goes over blank lines and lines of other text, up to the line of a TY, at `*at`; 0 where that takes judgement, -1 on an
   error. Behind a field other lines belong to it, up to a number alone behind a blank line. */
static int before_record(const Text *text, Py_ssize_t *at, Py_ssize_t *number, const unsigned char *table, Before *before)
{
    int open = 0, blank = 0;
    before->count = 0;
    before->opened = -1;
    for (;;) {
        Py_ssize_t end = *at < text->length ? line_end(text, *at) : -1;
        if (end < 0) return 0;
        if (end - *at >= 5 && AT(text, *at) == 'T' && AT(text, *at + 1) == 'Y' && AT(text, *at + 2) == ' ' &&
            AT(text, *at + 3) == ' ' && AT(text, *at + 4) == '-')
            return !before->count || (end - *at > 5 && AT(text, *at + 5) == ' ');
        ++*number;
        Py_ssize_t begin = *at, last = end;
        trim(text->data, &begin, &last);
        if (begin == last) {
            blank = 1;
            *at = end + 1;
            continue;
        }
        int odd = loose(text, *at, end);
        if (before->count == MOST_BEFORE) return 0;
        if (odd && (before->opened >= 0 || !stray_field(text, *at, end, table))) return 0;
        if (odd) {
            open = 1;
            before->opened = before->count;
            before->field.length = 0;
            if (put_bytes(&before->field, text->data + *at, end - *at) < 0) return -1;
        } else if (open && !(blank && number_alone(text, begin, last))) {
            if (last - begin == 2 || (blank && between(text, begin, last))) return 0; /* perhaps a bare ER, or no text of it */
            if (AT(text, *at) == ' ' || AT(text, *at) == '\t' || before->field.length > 4096) return 0;
            if (put_bytes(&before->field, "\n\n", blank ? 2 : 1) < 0) return -1;
            if (put_bytes(&before->field, text->data + begin, last - begin) < 0) return -1;
            blank = 0;
            *at = end + 1;
            continue;
        } else
            open = 0;
        before->line[before->count].number = *number;
        before->line[before->count].begin = begin;
        before->line[before->count++].end = last;
        blank = 0;
        *at = end + 1;
    }
}

/* Tells the tally of what is left out before a record on the lines behind line `number`; -1 on an error. */
static int tell_before(const Before *before, const Text *text, PyObject *tally, Py_ssize_t number)
{
    if (!before->count) return 0;
    PyObject *lines = PyList_New(before->count), *nothing;
    for (int i = 0; lines && i < before->count; i++) {
        PyObject *part = i == before->opened ? text_of(before->field.data, 0, before->field.length)
                                             : text_of(text->data, before->line[i].begin, before->line[i].end);
        PyObject *line = part ? Py_BuildValue("nN", number + before->line[i].number, part) : NULL;
        if (!line) Py_CLEAR(lines);
        else PyList_SET_ITEM(lines, i, line);
    }
    if (!lines) return -1;
    nothing = left_out(lines, tally);
    Py_DECREF(lines);
    Py_XDECREF(nothing);
    return nothing ? 0 : -1;
}

/* Ends the value in `joined`, made of several lines; -1 on an error, 0 where it needs judgement. */
static int made(Buffer *joined, Field *field)
{
    Py_ssize_t begin = 0, end = joined->length;
    trim(joined->data, &begin, &end);
    if ((field->tag == UR || field->tag == DO) && end - begin >= 3 && joined->data[end - 1] == '-' &&
        joined->data[end - 2] == ' ' && joined->data[end - 3] == ' ')
        return 0;
    field->made = text_of(joined->data, begin, end);
    joined->length = 0;
    return field->made ? 1 : -1;
}

/* The fields of the record behind the line end `text[at]`. Returns how many; 0 where there is none to take, -1 on error. */
static int fields_of(const Text *text, Py_ssize_t at, const unsigned char *table, Field *fields, Buffer *joined,
                     int *filled, Before *before, Py_ssize_t *skipped, Py_ssize_t *lines, Py_ssize_t *over)
{
    int count = 0, wrapped = 0, blank = 0, told;
    Py_ssize_t number = 0;
    if (at >= text->length || AT(text, at) != '\n') return 0;
    at++;
    if ((told = before_record(text, &at, &number, table, before)) <= 0) return told;
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
            trim(text->data, &field->begin, &field->end);
            /* perhaps a field on the line of another one, without a value */
            if ((tag == UR || tag == DO) && field->end - field->begin >= 3 && AT(text, field->end - 1) == '-' &&
                AT(text, field->end - 2) == ' ' && AT(text, field->end - 3) == ' ')
                return 0;
        } else {
            if (count < 2) return 0; /* before TY, or behind it */
            Py_ssize_t begin = at, last = end;
            trim(text->data, &begin, &last);
            if (begin == last)
                blank = 1;
            else {
                if (loose(text, at, end) || (blank && between(text, begin, last))) return 0;
                Field *field = &fields[count - 1];
                if (!wrapped) {
                    wrapped = 1;
                    joined->length = 0;
                    /* blanks at the end of the first line stand before a line end, not before a blank */
                    Py_ssize_t until = line_end(text, field->end);
                    if (put_bytes(joined, text->data + field->begin, until - field->begin) < 0) return -1;
                }
                int indented = AT(text, at) == ' ' || AT(text, at) == '\t';
                if (blank) {
                    joined->data[joined->length++] = '\n';
                    joined->data[joined->length++] = '\n';
                } else if (indented) {
                    trim_end(joined->data, 0, &joined->length);
                    joined->data[joined->length++] = ' ';
                } else
                    joined->data[joined->length++] = '\n';
                /* of a line that is not indented, blanks at its end go as well: its text is taken without them */
                if (put_bytes(joined, text->data + begin, last - begin) < 0) return -1;
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
    static Before before;
    static Fields usual;
    static int busy;
    int filled = 0;
    PyObject *result = NULL, *record = NULL, *fields_left = NULL;
    Py_ssize_t skipped = 0, lines = 0, over = 0;
    if (many != 5 || !PyBytes_Check(given[0]) || !PyBytes_Check(given[2]) || PyBytes_GET_SIZE(given[2]) != CODES) {
        PyErr_SetString(PyExc_TypeError, "take(data, at, table, tally, number)");
        return NULL;
    }
    Py_ssize_t at = PyLong_AsSsize_t(given[1]), number = PyLong_AsSsize_t(given[4]);
    if (at < 0 || number < 0) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "at and number must not be negative");
        return NULL;
    }
    const unsigned char *table = (const unsigned char *)PyBytes_AS_STRING(given[2]);
    Text text = {PyBytes_AS_STRING(given[0]), PyBytes_GET_SIZE(given[0])};
    int count = fields_of(&text, at, table, found, &joined, &filled, &before, &skipped, &lines, &over);
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
        if (done == DONE && !value) value = text_of(text.data, found[i].begin, found[i].end);
        if (done == DONE)
            done = add(fields, found[i].tag, NULL, value) < 0 ? FAILED : DONE;
        else
            Py_XDECREF(value);
    }
    if (done == DONE && tell_before(&before, &text, given[3], number) < 0) done = FAILED;
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

static PyMethodDef methods[] = {
    {"take", (PyCFunction)(void (*)(void))take, METH_FASTCALL,
     "take(data, at, table, tally, number): the record behind the line end data[at], or its fields, or None"},
    {"entry", (PyCFunction)(void (*)(void))entry, METH_FASTCALL,
     "entry(text, at, end, strings, tally, number): the record of a BibTeX entry and its lines, or None"},
    {"entry_parts", (PyCFunction)(void (*)(void))entry_parts, METH_FASTCALL,
     "entry_parts(codes, callables): what fields of BibTeX mean"},
    {"medline", (PyCFunction)(void (*)(void))medline, METH_FASTCALL,
     "medline(data, at, tally, number): the record of PubMed's own format behind the line end data[at], or None"},
    {"medline_parts", medline_parts, METH_O, "medline_parts(callable): what tells the kind of a record by its types"},
    {"is_plain", is_plain, METH_O, "is_plain(bytes): whether they are UTF-8 without NUL, carriage returns and marks"},
    {"line_ends", line_ends, METH_O, "line_ends(bytes): how many line ends they have"},
    {"without_returns", without_returns, METH_O, "without_returns(bytes): the same with line ends of one byte"},
    {"record_parts", (PyCFunction)(void (*)(void))record_parts, METH_FASTCALL,
     "record_parts(class, callables): what records are made of"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_whole", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__whole(void) { return PyModule_Create(&definition); }
