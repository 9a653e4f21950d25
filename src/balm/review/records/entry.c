/* One BibTeX entry at once: its fields found, their values in characters, and the record made of them (record.c).

   Does what `as_ris` of bibtex_fields.py does for an entry whose braces close and whose values are not joined with `#`.
   LaTeX beyond escaped signs is asked of the Python twin; an entry with anything rare is left to it as a whole. */

#include "record.h"

/* What becomes of a field; a number from zero on is the tag it is. In the order of bibtex_whole.py. */
enum { OTHER = -1, AUTHOR = -2, EDITOR = -3, ARTICLE_NUMBER = -4, MONTH = -5, OWN_ID = -6, PAGES = -7, WORDS = -8,
       ACCESSION = -9, EARLY = -10, RARE = -11 };
enum { ACTION, PLAIN, NAMES, KEYWORDS, DATE, CALLABLES };
enum { KNOWN_NAMES = 4096 };

static PyObject *twin[CALLABLES], *codes, *actions, *two_hyphens, *hyphen, *spaced_dash;

#define AT(i) PyUnicode_READ(kind, data, (i))

static int is_word(Py_UCS4 c)
{
    return c == '_' || c == '.' || c == ':' || c == '+' || c == '/' || c == '-' || Py_UNICODE_ISALNUM(c);
}

static int is_blank(Py_UCS4 c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static PyObject *substring(PyObject *text, Py_ssize_t begin, Py_ssize_t end)
{
    return PyUnicode_Substring(text, begin, end);
}

/* `plain`: groups opened, escaped signs as such, blanks single; NULL without an error where it takes the twin. */
static PyObject *characters(int kind, const void *data, Py_ssize_t begin, Py_ssize_t end)
{
    Py_ssize_t length = 0;
    int pending = 0;
    char small[2048];
    void *into = (end - begin + 1) * kind <= (Py_ssize_t)sizeof small ? small : PyMem_Malloc((size_t)((end - begin + 1) * kind));
    if (!into) return PyErr_NoMemory();
    PyObject *made = NULL;
    int latin = kind == PyUnicode_1BYTE_KIND;
    for (Py_ssize_t i = begin; i < end; i++) {
        Py_UCS4 c = AT(i);
        if (is_blank(c)) {
            pending = length > 0;
            continue;
        }
        if (c == '{' || c == '}') continue;
        if (c == '$' || (!latin && c >= 0xe000 && c <= 0xe006)) goto end;
        if (c == '\\') {
            Py_UCS4 sign = i + 1 < end ? AT(i + 1) : 0;
            if (sign != '&' && sign != '%' && sign != '#' && sign != '_' && sign != '{' && sign != '}' && sign != '$' &&
                sign != '-' && sign != ',' && sign != ';' && sign != '!' && sign != '/')
                goto end;
            i++;
            if (sign == ',' || sign == ';' || sign == '!' || sign == '/') continue;
            c = sign;
        } else if (c == '~')
            c = 0xa0;
        if (pending) {
            PyUnicode_WRITE(kind, into, length, ' ');
            length++;
            pending = 0;
        }
        PyUnicode_WRITE(kind, into, length, c);
        length++;
    }
    made = PyUnicode_FromKindAndData(kind, into, length);
end:
    if (into != small) PyMem_Free(into);
    return made;
}

/* The value of a field in characters, as the twin has it before it takes the blanks off its ends. */
static PyObject *value_in(PyObject *text, Py_ssize_t begin, Py_ssize_t end)
{
    int kind = (int)PyUnicode_KIND(text), special = 0;
    const void *data = PyUnicode_DATA(text);
    for (Py_ssize_t i = begin; i < end && !special; i++) {
        Py_UCS4 c = AT(i);
        special = c == '\\' || c == '{' || c == '\n' || (c == ' ' && i + 1 < end && AT(i + 1) == ' ');
    }
    if (!special) {
        while (begin < end && Py_UNICODE_ISSPACE(AT(begin))) begin++;
        while (end > begin && Py_UNICODE_ISSPACE(AT(end - 1))) end--;
        return substring(text, begin, end);
    }
    PyObject *made = characters(kind, data, begin, end);
    if (made || PyErr_Occurred()) return made;
    PyObject *raw = substring(text, begin, end);
    if (!raw) return NULL;
    made = PyObject_CallOneArg(twin[PLAIN], raw);
    Py_DECREF(raw);
    return made;
}

/* Without blanks at its ends; takes `value` over. */
static PyObject *without_blanks(PyObject *value)
{
    if (!value) return NULL;
    int kind = (int)PyUnicode_KIND(value);
    const void *data = PyUnicode_DATA(value);
    Py_ssize_t begin = 0, end = PyUnicode_GET_LENGTH(value);
    while (begin < end && Py_UNICODE_ISSPACE(AT(begin))) begin++;
    while (end > begin && Py_UNICODE_ISSPACE(AT(end - 1))) end--;
    if (begin || end < PyUnicode_GET_LENGTH(value)) Py_SETREF(value, substring(value, begin, end));
    return value;
}

static int put(Fields *fields, int tag, PyObject *name, PyObject *value)
{
    if (value && fields->count >= MOST - 1) {
        Py_DECREF(value);
        return JUDGE;
    }
    return add(fields, tag, name, without_blanks(value)) < 0 ? FAILED : DONE;
}

/* The values of a list that the twin made. */
static int put_all(Fields *fields, int tag, PyObject *list)
{
    if (!list) return FAILED;
    int told = PyList_Check(list) ? DONE : JUDGE;
    for (Py_ssize_t i = 0; told == DONE && i < PyList_GET_SIZE(list); i++)
        told = put(fields, tag, NULL, Py_NewRef(PyList_GET_ITEM(list, i)));
    Py_DECREF(list);
    return told;
}

static PyObject *asked(int which, PyObject *text, Py_ssize_t begin, Py_ssize_t end)
{
    PyObject *raw = substring(text, begin, end), *answer = raw ? PyObject_CallOneArg(twin[which], raw) : NULL;
    Py_XDECREF(raw);
    return answer;
}

/* Names with `and` between. */
static int people(Fields *fields, int tag, PyObject *text, Py_ssize_t begin, Py_ssize_t end)
{
    int kind = (int)PyUnicode_KIND(text), blanks = 0;
    const void *data = PyUnicode_DATA(text);
    for (Py_ssize_t i = begin; i < end; i++) {
        Py_UCS4 c = AT(i);
        if (c == '{' || c == '\\') return put_all(fields, tag, asked(NAMES, text, begin, end));
        blanks |= c == '\n' || c == '\t' || (c == ' ' && i + 1 < end && AT(i + 1) == ' ');
    }
    if (blanks) return put_all(fields, tag, asked(NAMES, text, begin, end));
    while (begin < end && Py_UNICODE_ISSPACE(AT(begin))) begin++;
    while (end > begin && Py_UNICODE_ISSPACE(AT(end - 1))) end--;
    static const char others[] = " and others";
    Py_ssize_t k = 0;
    if (end - begin >= 11)
        while (k < 11 && AT(end - 11 + k) == (Py_UCS4)others[k]) k++;
    if (k == 11) end -= 11;
    int told = DONE;
    for (Py_ssize_t i = begin; told == DONE && i <= end; i++) {
        if (i < end && !(end - i >= 5 && AT(i) == ' ' && AT(i + 1) == 'a' && AT(i + 2) == 'n' && AT(i + 3) == 'd' && AT(i + 4) == ' '))
            continue;
        told = put(fields, tag, NULL, substring(text, begin, i));
        begin = i + 5;
        i += 4;
    }
    return told;
}

static int words(Fields *fields, PyObject *text, Py_ssize_t begin, Py_ssize_t end)
{
    int kind = (int)PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_UCS4 mark = ',';
    int told = DONE;
    for (Py_ssize_t i = begin; i < end; i++) {
        Py_UCS4 c = AT(i);
        if (c == '\\' || c == '{' || c == '}' || c == '$') {
            told = put_all(fields, TAG('K', 'W'), asked(KEYWORDS, text, begin, end));
            return told == DONE ? put(fields, TAG('K', 'W'), NULL, PyUnicode_New(0, 0)) : told;
        }
        if (c == ';') mark = ';';
    }
    for (Py_ssize_t i = begin; told == DONE && i <= end; i++)
        if (i == end || AT(i) == mark) {
            told = put(fields, TAG('K', 'W'), NULL, characters(kind, data, begin, i));
            begin = i + 1;
        }
    /* an empty one behind: they are taken apart already */
    return told == DONE ? put(fields, TAG('K', 'W'), NULL, PyUnicode_New(0, 0)) : told;
}

/* A record under work. */
typedef struct {
    PyObject *month, *own;
    PyObject *number[8], *number_name[8]; /* of articles */
    int numbers, early;
} Entry;

static int field(Fields *fields, Entry *entry, PyObject *name, int action, PyObject *text, Py_ssize_t begin, Py_ssize_t end)
{
    if (action == RARE) return JUDGE;
    if (action == AUTHOR || action == EDITOR)
        return people(fields, action == AUTHOR ? TAG('A', 'U') : TAG('E', 'D'), text, begin, end);
    PyObject *value = NULL;
    if (action == WORDS) {
        int kind = (int)PyUnicode_KIND(text), some = 0;
        const void *data = PyUnicode_DATA(text);
        for (Py_ssize_t i = begin; i < end && !some; i++) some = !Py_UNICODE_ISSPACE(AT(i)) && AT(i) != '{' && AT(i) != '}';
        return some ? words(fields, text, begin, end) : begin < end ? JUDGE : DONE;
    }
    if (!(value = value_in(text, begin, end))) return FAILED;
    if (!PyUnicode_GET_LENGTH(value)) {
        Py_DECREF(value);
        return DONE;
    }
    if (PyUnicode_FindChar(value, '\n', 0, PyUnicode_GET_LENGTH(value), 1) >= 0) {
        Py_DECREF(value);
        return JUDGE;
    }
    switch (action) {
    case ARTICLE_NUMBER:
        if (entry->numbers == 8) {
            Py_DECREF(value);
            return JUDGE;
        }
        entry->number_name[entry->numbers] = name;
        entry->number[entry->numbers++] = value;
        return DONE;
    case MONTH:
        Py_XSETREF(entry->month, value);
        return DONE;
    case OWN_ID:
        Py_XSETREF(entry->own, value);
        return DONE;
    case PAGES:
        Py_SETREF(value, PyUnicode_Replace(value, two_hyphens, hyphen, -1));
        if (value && !PyUnicode_IS_ASCII(value)) Py_SETREF(value, PyUnicode_Replace(value, spaced_dash, hyphen, -1));
        return put(fields, TAG('S', 'P'), NULL, value);
    case ACCESSION:
        if (fields->at[TAG('A', 'N')]) {
            Py_DECREF(value);
            return JUDGE;
        }
        return put(fields, TAG('A', 'N'), NULL, value);
    case EARLY:
        entry->early = 1;
        return put(fields, FOREIGN, name, value);
    case OTHER:
        return put(fields, FOREIGN, name, value);
    default:
        return put(fields, action, NULL, value);
    }
}

/* The name as the dictionary of names has it (borrowed), and what becomes of it. */
static int action_of(PyObject *given, PyObject **name, int *action)
{
    PyObject *known = PyDict_GetItemWithError(actions, given);
    if (!known) {
        if (PyErr_Occurred()) return FAILED;
        if (PyDict_GET_SIZE(actions) >= KNOWN_NAMES) return JUDGE;
        PyObject *told = PyObject_CallOneArg(twin[ACTION], given), *pair = told ? PyTuple_Pack(2, given, told) : NULL;
        Py_XDECREF(told);
        int bad = !pair || PyDict_SetItem(actions, given, pair) < 0;
        Py_XDECREF(pair);
        if (bad) return FAILED;
        known = PyDict_GetItemWithError(actions, given);
        if (!known) return FAILED;
    }
    *name = PyTuple_GET_ITEM(known, 0);
    long what = PyLong_AsLong(PyTuple_GET_ITEM(known, 1));
    if (what == -1 && PyErr_Occurred()) return FAILED;
    *action = what < CODES && what >= RARE ? (int)what : RARE;
    return DONE;
}

/* The fields between `at` and `end`, where the closing brace stands. */
static int fields_of(Fields *fields, Entry *entry, PyObject *text, Py_ssize_t at, Py_ssize_t end, PyObject *strings)
{
    int kind = (int)PyUnicode_KIND(text), any = 0, told;
    const void *data = PyUnicode_DATA(text);
    for (;;) {
        while (at < end && (AT(at) == ',' || Py_UNICODE_ISSPACE(AT(at)))) at++;
        if (at == end) return any ? DONE : JUDGE;
        Py_UCS4 c = AT(at);
        if (!(c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) return JUDGE;
        Py_ssize_t begin = at, last;
        while (at < end && is_word(AT(at))) at++;
        for (;;) { /* further words of the name */
            last = at;
            while (at < end && (AT(at) == ' ' || AT(at) == '\t' || AT(at) == 0xa0)) at++;
            if (at == last || at == end || !is_word(AT(at))) break;
            while (at < end && is_word(AT(at))) at++;
        }
        PyObject *given = substring(text, begin, last), *name;
        int action;
        if (!given) return FAILED;
        told = action_of(given, &name, &action);
        Py_DECREF(given);
        if (told <= 0) return told;
        while (at < end && Py_UNICODE_ISSPACE(AT(at))) at++;
        if (at == end || AT(at) != '=') return JUDGE;
        at++;
        while (at < end && Py_UNICODE_ISSPACE(AT(at))) at++;
        if (at == end) return JUDGE;
        PyObject *word = NULL;
        begin = at + 1;
        if (AT(at) == '{') {
            int depth = 1;
            while (++at < end) {
                c = AT(at);
                if (c == '{' && ++depth > 3) return JUDGE;
                if (c == '}' && !--depth) break;
            }
            if (at == end) return JUDGE;
            last = at++;
        } else if (AT(at) == '"') {
            int depth = 0;
            while (++at < end) {
                c = AT(at);
                if (c == '"' && !depth && AT(at - 1) != '\\') break;
                depth += (c == '{') - (c == '}');
                if (depth < 0) return JUDGE;
            }
            if (at == end) return JUDGE;
            last = at++;
        } else {
            begin = at;
            int digits = 1;
            for (; at < end; at++) {
                c = AT(at);
                if (c == ',' || c == '#' || c == '{' || c == '}' || c == '"' || Py_UNICODE_ISSPACE(c)) break;
                digits &= c >= '0' && c <= '9';
            }
            if (at == begin) return JUDGE;
            last = at;
            if (!digits) {
                PyObject *raw = substring(text, begin, last), *lower = raw ? PyObject_CallMethod(raw, "lower", NULL) : NULL;
                word = lower ? PyDict_GetItemWithError(strings, lower) : NULL;
                Py_XINCREF(word);
                Py_XDECREF(raw);
                Py_XDECREF(lower);
                if (!word && PyErr_Occurred()) return FAILED;
                if (word && !PyUnicode_Check(word)) Py_CLEAR(word);
            }
        }
        while (at < end && Py_UNICODE_ISSPACE(AT(at))) at++;
        if (at < end && AT(at) != ',') {
            Py_XDECREF(word);
            return JUDGE;
        }
        told = word ? field(fields, entry, name, action, word, 0, PyUnicode_GET_LENGTH(word))
                    : field(fields, entry, name, action, text, begin, last);
        Py_XDECREF(word);
        if (told <= 0) return told;
        any = 1;
    }
}

/* What stands behind the fields: date, number of the article, id. */
static int completed(Fields *fields, Entry *entry)
{
    int told = DONE;
    if (entry->month && !fields->at[TAG('D', 'A')]) {
        int year = fields->at[TAG('P', 'Y')];
        PyObject *first = year ? Py_NewRef(fields->value[fields->group[year - 1].head]) : PyUnicode_New(0, 0);
        PyObject *given[2] = {first, entry->month}, *date = first ? PyObject_Vectorcall(twin[DATE], given, 2, NULL) : NULL;
        Py_XDECREF(first);
        if (!date) return FAILED;
        if (date == Py_None) {
            Py_DECREF(date);
            return JUDGE;
        }
        if ((told = put(fields, TAG('D', 'A'), NULL, date)) <= 0) return told;
    }
    if (entry->early && !fields->at[TAG('P', 'Y')] && !fields->at[TAG('D', 'A')]) return JUDGE;
    for (int i = 0; i < entry->numbers && told == DONE; i++) {
        int there = fields->at[TAG('S', 'P')] != 0;
        told = put(fields, there ? FOREIGN : TAG('S', 'P'), entry->number_name[i], Py_NewRef(entry->number[i]));
    }
    if (told == DONE && entry->own && PyUnicode_GET_LENGTH(entry->own))
        told = put(fields, TAG('I', 'D'), NULL, Py_NewRef(entry->own));
    return told;
}

/* entry(text, at, end, strings, tally, number): the record of text[at:end], which begins with a line end and an `@`, and
   the lines it has; None where it takes judgement. */
PyObject *entry(PyObject *self, PyObject *const *given, Py_ssize_t many)
{
    static Fields usual;
    static int busy;
    if (many != 6 || !PyUnicode_Check(given[0]) || !PyDict_Check(given[3])) {
        PyErr_SetString(PyExc_TypeError, "entry(text, at, end, strings, tally, number)");
        return NULL;
    }
    if (!codes) {
        PyErr_SetString(PyExc_RuntimeError, "entry_parts() comes first");
        return NULL;
    }
    PyObject *text = given[0], *code = NULL, *record = NULL, *result = NULL;
    Py_ssize_t at = PyLong_AsSsize_t(given[1]), end = PyLong_AsSsize_t(given[2]), number = PyLong_AsSsize_t(given[5]);
    if (PyErr_Occurred()) return NULL;
    if (at < 0 || end > PyUnicode_GET_LENGTH(text) || number < 0) {
        PyErr_SetString(PyExc_ValueError, "at, end and number must lie in the text");
        return NULL;
    }
    int kind = (int)PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t lines = 0, last = end, begin;
    for (Py_ssize_t i = at; i < end; i++) {
        Py_UCS4 c = AT(i);
        lines += c == '\n';
        if (c == 0x2028) Py_RETURN_NONE;
    }
    Py_ssize_t inside = lines;
    while (last > at && Py_UNICODE_ISSPACE(AT(last - 1))) inside -= AT(--last) == '\n';
    if (last - at < 4 || AT(at) != '\n' || AT(at + 1) != '@' || AT(last - 1) != '}') Py_RETURN_NONE;
    last--;
    begin = at += 2;
    char word[32];
    while (at < last && at - begin < 31 && AT(at) < 128 && ((AT(at) | 32) >= 'a' && (AT(at) | 32) <= 'z')) {
        word[at - begin] = (char)(AT(at) | 32);
        at++;
    }
    word[at - begin] = 0;
    if (at == last || AT(at) != '{') Py_RETURN_NONE;
    PyObject *type = PyUnicode_FromString(word);
    if (!type) return NULL;
    code = PyDict_GetItemWithError(codes, type);
    Py_DECREF(type);
    if (!code) {
        if (PyErr_Occurred()) return NULL;
        Py_RETURN_NONE;
    }
    at++;
    while (at < last && Py_UNICODE_ISSPACE(AT(at))) at++;
    begin = at;
    while (at < last && AT(at) != ',' && AT(at) != '=' && AT(at) != '{' && AT(at) != '}' && AT(at) != '"' && !Py_UNICODE_ISSPACE(AT(at))) at++;
    Py_ssize_t key_end = at;
    while (at < last && Py_UNICODE_ISSPACE(AT(at))) at++;
    if (at == last || AT(at) != ',') Py_RETURN_NONE;
    at++;

    Fields *fields = busy ? PyMem_Calloc(1, sizeof *fields) : &usual; /* Python runs meanwhile, perhaps in other threads */
    if (!fields) return PyErr_NoMemory();
    if (fields == &usual) busy = 1;
    Entry work = {0};
    int told = FAILED;
    if ((work.own = substring(text, begin, key_end)) != NULL) told = put(fields, TAG('T', 'Y'), NULL, Py_NewRef(code));
    if (told == DONE) told = fields_of(fields, &work, text, at, last, given[3]);
    if (told == DONE) told = completed(fields, &work);
    if (told == DONE) told = build(fields, given[4], number + 1, number + inside, &record);
    forget(fields);
    Py_XDECREF(work.month);
    Py_XDECREF(work.own);
    for (int i = 0; i < work.numbers; i++) Py_DECREF(work.number[i]);
    if (fields == &usual)
        busy = 0;
    else
        PyMem_Free(fields);
    if (told == DONE)
        result = Py_BuildValue("Nn", record, lines);
    else if (told == JUDGE)
        result = Py_NewRef(Py_None);
    else if (!PyErr_Occurred())
        PyErr_NoMemory();
    return result;
}

/* entry_parts(codes, callables): what the twin knows of types and names of fields. */
PyObject *entry_parts(PyObject *self, PyObject *const *given, Py_ssize_t many)
{
    if (many != 2 || !PyDict_Check(given[0]) || !PyTuple_Check(given[1]) || PyTuple_GET_SIZE(given[1]) != CALLABLES) {
        PyErr_SetString(PyExc_TypeError, "entry_parts(codes, callables)");
        return NULL;
    }
    if (!actions) {
        two_hyphens = PyUnicode_InternFromString("--");
        hyphen = PyUnicode_InternFromString("-");
        spaced_dash = PyUnicode_InternFromString(" \xe2\x80\x93 ");
        actions = PyDict_New();
        if (!two_hyphens || !hyphen || !spaced_dash || !actions) return NULL;
    }
    for (int c = 0; c < CALLABLES; c++) Py_XSETREF(twin[c], Py_NewRef(PyTuple_GET_ITEM(given[1], c)));
    Py_XSETREF(codes, Py_NewRef(given[0]));
    Py_RETURN_NONE;
}
