/* The record that (tag, values) make: `build` of ris_fields.py, step by step in its order, with the same result.

   Everything usual is done here; whatever takes a regular expression is asked of the functions of the Python twin, and a
   record with something rare is left to the twin as a whole. The tests compare the two. */

#include "work.h"
#include <stddef.h>
#include <structmember.h>

/* The fields of a record, in the order of the class; record_parts() compares the names. */
static const char *const NAMES[] = {
    "id", "type", "title", "original_title", "authors", "editors", "year", "date", "journal", "journal_abbreviation",
    "volume", "issue", "pages", "doi", "pmid", "pmcid", "accession_numbers", "issn", "isbn", "abstract", "keywords",
    "language", "urls", "publication_types", "publisher", "place", "affiliations", "notes", "database", "decision",
    "votes", "source_file", "ordinal", "lines", "other",
};
PyObject *twin[CALLABLES], *line_feed;
static PyTypeObject *record_class;
static Py_ssize_t offset[SLOTS];
static PyObject *empty, *blank, *no_tuple, *word_name, *word_repair, *word_file, *word_read, *word_rejected;
static PyObject *tag_name[CODES];

/* ---- text ------------------------------------------------------------------------------------------------------- */

/* Whether `s` holds the ASCII word `word`. */
int holds(PyObject *s, const char *word)
{
    Py_ssize_t size = (Py_ssize_t)strlen(word), last = LENGTH(s) - size;
    if (ONE_BYTE(s)) {
        const char *data = PyUnicode_DATA(s), *at = data, *end = data + last;
        while (at <= end && (at = memchr(at, word[0], (size_t)(end - at + 1))) != NULL) {
            if (!memcmp(at, word, (size_t)size)) return 1;
            at++;
        }
        return 0;
    }
    for (Py_ssize_t i = 0; i <= last; i++) {
        i = PyUnicode_FindChar(s, (Py_UCS4)(unsigned char)word[0], i, last + 1, 1);
        if (i < 0) return 0;
        Py_ssize_t k = 1;
        while (k < size && CHAR(s, i + k) == (Py_UCS4)(unsigned char)word[k]) k++;
        if (k == size) return 1;
    }
    return 0;
}

/* A letter as a pattern that ignores case sees it, or more widely. */
static Py_UCS4 folded(Py_UCS4 c)
{
    if (c < 128) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    return c == 0x130 || c == 0x131 ? 'i' : c == 0x17f ? 's' : c == 0x212a ? 'k' : c;
}

static int folded_at(PyObject *s, Py_ssize_t at, const char *word)
{
    for (; *word; word++, at++)
        if (at >= LENGTH(s) || folded(CHAR(s, at)) != (Py_UCS4)(unsigned char)*word) return 0;
    return 1;
}

/* Whether `s` holds `word`, written in small letters, in letters of any case. */
static int says(PyObject *s, const char *word)
{
    Py_ssize_t last = LENGTH(s) - (Py_ssize_t)strlen(word);
    if (PyUnicode_IS_ASCII(s)) {
        const char *data = PyUnicode_DATA(s);
        for (Py_ssize_t i = 0; i <= last; i++)
            if ((data[i] | 32) == word[0] && folded_at(s, i + 1, word + 1)) return 1;
        return 0;
    }
    for (Py_ssize_t i = 0; i <= last; i++)
        if (folded(CHAR(s, i)) == (Py_UCS4)(unsigned char)word[0] && folded_at(s, i + 1, word + 1)) return 1;
    return 0;
}

static int ends_with(PyObject *s, PyObject *end)
{
    Py_ssize_t at = LENGTH(s) - LENGTH(end);
    if (at < 0) return 0;
    for (Py_ssize_t i = 0; i < LENGTH(end); i++)
        if (CHAR(s, at + i) != CHAR(end, i)) return 0;
    return 1;
}

static int is_ascii_digits(PyObject *s)
{
    if (!PyUnicode_IS_ASCII(s)) return 0;
    const char *data = PyUnicode_DATA(s);
    for (Py_ssize_t i = 0; i < LENGTH(s); i++)
        if (data[i] < '0' || data[i] > '9') return 0;
    return LENGTH(s) > 0;
}

/* `s[begin:end]` without blanks at its ends. */
PyObject *stripped_part(PyObject *s, Py_ssize_t begin, Py_ssize_t end)
{
    while (begin < end && Py_UNICODE_ISSPACE(CHAR(s, begin))) begin++;
    while (end > begin && Py_UNICODE_ISSPACE(CHAR(s, end - 1))) end--;
    return PyUnicode_Substring(s, begin, end);
}

/* `s` on one line; a new reference. */
static PyObject *one_line(PyObject *s)
{
    return has_char(s, '\n') ? PyUnicode_Replace(s, line_feed, blank, -1) : Py_NewRef(s);
}

/* Whether `s` has line ends or what is treated as one. */
int has_lines(PyObject *s) { return has_char(s, '\n') || has_char(s, '\t') || has_char(s, 0x2028); }

/* Where the next line of `s` ends: at a line end, at what is treated as one, or behind the text. */
static Py_ssize_t line_over(PyObject *s, Py_ssize_t at, Py_ssize_t size)
{
    Py_ssize_t end = at < size ? PyUnicode_FindChar(s, '\n', at, size, 1) : -1, other = -1;
    if (!ONE_BYTE(s) && at < size) other = PyUnicode_FindChar(s, 0x2028, at, end < 0 ? size : end, 1);
    return other >= 0 ? other : end >= 0 ? end : size;
}

/* paragraphs: lines without blanks at their ends, at most one empty one between two, none at either end. */
PyObject *paragraphs(PyObject *s)
{
    int kind = (int)PyUnicode_KIND(s);
    const char *data = PyUnicode_DATA(s);
    Py_ssize_t size = LENGTH(s), length = 0, at = 0;
    char *into = PyMem_Malloc((size_t)(size + 1) * (size_t)kind);
    if (!into) return PyErr_NoMemory();
    int ends = 0; /* of lines, since the last letter */
    while (at <= size) {
        Py_ssize_t end = line_over(s, at, size), next = end + 1;
        while (at < end && Py_UNICODE_ISSPACE(PyUnicode_READ(kind, data, at))) at++;
        while (end > at && Py_UNICODE_ISSPACE(PyUnicode_READ(kind, data, end - 1))) end--;
        if (at < end) {
            if (length)
                for (int i = 0; i < ends && i < 2; i++, length++) PyUnicode_WRITE(kind, into, length, '\n');
            ends = 0;
            memcpy(into + length * kind, data + at * kind, (size_t)((end - at) * kind));
            length += end - at;
        }
        ends++;
        at = next;
    }
    if (has_char(s, '\t'))
        for (Py_ssize_t i = 0; i < length; i++)
            if (PyUnicode_READ(kind, into, i) == '\t') PyUnicode_WRITE(kind, into, i, ' ');
    PyObject *made = PyUnicode_FromKindAndData(kind, into, length);
    PyMem_Free(into);
    return made;
}

/* ---- lists ------------------------------------------------------------------------------------------------------ */

enum { SHORT_LIST = 24 };

void drop(List *list)
{
    for (Py_ssize_t i = 0; i < list->count; i++) Py_DECREF(list->item[i]);
    list->count = 0;
    Py_CLEAR(list->known);
}

/* Adds `value`, which is taken over, unless it is empty or there already. */
int once(List *list, PyObject *value)
{
    if (!value) return -1;
    if (!LENGTH(value)) {
        Py_DECREF(value);
        return 0;
    }
    if (list->known) {
        int there = PySet_Contains(list->known, value);
        if (there) {
            Py_DECREF(value);
            return there < 0 ? -1 : 0;
        }
    } else
        for (Py_ssize_t i = 0; i < list->count; i++)
            if (same(list->item[i], value)) {
                Py_DECREF(value);
                return 0;
            }
    if (list->count == list->room) {
        Py_ssize_t room = 2 * list->room + 64;
        PyObject **item = PyMem_Realloc(list->item, (size_t)room * sizeof *item);
        if (!item) {
            Py_DECREF(value);
            PyErr_NoMemory();
            return -1;
        }
        list->item = item;
        list->room = room;
    }
    list->item[list->count++] = value;
    if (list->known) return PySet_Add(list->known, value);
    if (list->count > SHORT_LIST) {
        if (!(list->known = PySet_New(NULL))) return -1;
        for (Py_ssize_t i = 0; i < list->count; i++)
            if (PySet_Add(list->known, list->item[i]) < 0) return -1;
    }
    return 0;
}

/* The list as a tuple; the list is empty then. */
PyObject *as_tuple(List *list)
{
    PyObject *tuple = PyTuple_New(list->count);
    if (tuple) {
        for (Py_ssize_t i = 0; i < list->count; i++) PyTuple_SET_ITEM(tuple, i, list->item[i]);
        list->count = 0;
    }
    drop(list);
    return tuple;
}

/* The stripped parts of `s` between two `mark`s, each once. */
static int parts_once(List *list, PyObject *s, Py_UCS4 mark, Py_UCS4 other)
{
    Py_ssize_t begin = 0, size = LENGTH(s);
    for (Py_ssize_t i = 0; i <= size; i++)
        if (i == size || CHAR(s, i) == mark || CHAR(s, i) == other) {
            if (once(list, stripped_part(s, begin, i)) < 0) return -1;
            begin = i + 1;
        }
    return 0;
}

/* ---- fields ----------------------------------------------------------------------------------------------------- */

int place(Py_UCS4 first, Py_UCS4 second)
{
    if (first < 'A' || first > 'Z') return -1;
    if (second >= 'A' && second <= 'Z') return (int)((first - 'A') * 36 + second - 'A');
    if (second >= '0' && second <= '9') return (int)((first - 'A') * 36 + 26 + second - '0');
    return -1;
}

static PyObject *name_of(int code)
{
    if (!tag_name[code]) {
        char text[3] = {(char)('A' + code / 36), (char)(code % 36 < 26 ? 'A' + code % 36 : '0' + code % 36 - 26), 0};
        tag_name[code] = PyUnicode_InternFromString(code == PMID_TAG ? "PMID" : text);
    }
    return tag_name[code];
}

int add(Fields *fields, int code, PyObject *name, PyObject *value)
{
    if (!value) return -1;
    int here = fields->count, group = -1;
    if (here == MOST) { /* the caller asks before */
        Py_DECREF(value);
        PyErr_SetString(PyExc_ValueError, "too many fields");
        return -1;
    }
    fields->value[here] = value;
    fields->next[here] = -1;
    fields->gone[here] = 0;
    fields->count++;
    if (code != FOREIGN)
        group = fields->at[code] - 1;
    else
        for (int i = fields->groups - 1; i >= 0 && group < 0; i--)
            if (fields->group[i].code == FOREIGN && same(fields->group[i].name, name)) group = i;
    if (group >= 0) {
        Group *known = &fields->group[group];
        if (known->tail >= 0)
            fields->next[known->tail] = here;
        else
            known->head = here;
        known->tail = here;
        known->size++;
        return 0;
    }
    group = fields->groups++;
    fields->group[group] = (Group){code, name, here, here, 1};
    if (code != FOREIGN) fields->at[code] = (short)(group + 1);
    return 0;
}

void forget(Fields *fields)
{
    for (int i = 0; i < fields->groups; i++)
        if (fields->group[i].code != FOREIGN) fields->at[fields->group[i].code] = 0;
    for (int i = 0; i < fields->count; i++) Py_DECREF(fields->value[i]);
    fields->count = fields->groups = 0;
    Py_CLEAR(fields->before);
}

PyObject *dictionary(const Fields *fields)
{
    if (fields->before) return Py_NewRef(fields->before);
    PyObject *all = PyDict_New();
    for (int g = 0; all && g < fields->groups; g++) {
        const Group *group = &fields->group[g];
        PyObject *list = PyList_New(0), *name = group->code == FOREIGN ? group->name : name_of(group->code);
        int bad = !list || !name;
        for (int i = group->head; !bad && i >= 0; i = fields->next[i]) bad = PyList_Append(list, fields->value[i]) < 0;
        if (bad || PyDict_SetItem(all, name, list) < 0) Py_CLEAR(all);
        Py_XDECREF(list);
    }
    return all;
}

int put_other(Work *work, PyObject *tag, PyObject *text)
{
    PyObject *pair = tag ? PyTuple_Pack(2, tag, text) : NULL;
    if (!pair || (!work->other && !(work->other = PyList_New(0)))) {
        Py_XDECREF(pair);
        return -1;
    }
    PyObject_GC_UnTrack(pair);
    int bad = PyList_Append(work->other, pair);
    Py_DECREF(pair);
    return bad;
}

static PyObject *repairs_of(Work *work)
{
    if (!work->repairs) work->repairs = PyList_New(0);
    return work->repairs;
}

/* Takes over `why`. */
static int repaired(Work *work, PyObject *why)
{
    int bad = !why || !repairs_of(work) || PyList_Append(work->repairs, why) < 0;
    Py_XDECREF(why);
    return bad ? -1 : 0;
}

PyObject *ask(int which, PyObject *one) { return PyObject_CallOneArg(twin[which], one); }

static PyObject *ask_two(int which, PyObject *one, PyObject *two)
{
    PyObject *given[2] = {one, two};
    return PyObject_Vectorcall(twin[which], given, 2, NULL);
}

PyObject *left_out(PyObject *lines, PyObject *tally) { return ask_two(LEFT_OUT, lines, tally); }

/* What a callable says of `one`: 1, 0 or -1; its answer is true or false in Python's sense. */
static int asked(int which, PyObject *one)
{
    PyObject *answer = ask(which, one);
    if (!answer) return -1;
    int is = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return is;
}

/* The first of the values of a tag that holds one; further ones are kept among the others. `*into` stays NULL for none. */
static int single(Work *work, Fields *fields, int tag, int named, PyObject **into)
{
    Group *group = pop(fields, tag);
    if (!group) return 0;
    PyObject *first = NULL, *name = name_of(named);
    if (group->size == 1) {
        if (!fields->gone[group->head] && LENGTH(fields->value[group->head])) first = fields->value[group->head];
    } else {
        PyObject *seen[MOST];
        int many = 0;
        EACH(i, group)
        {
            PyObject *value = fields->value[i];
            int known = !LENGTH(value);
            for (int k = 0; k < many && !known; k++) known = same(seen[k], value);
            if (known) continue;
            if (many >= 64) return 2; /* rare: the twin has a dictionary for it */
            seen[many++] = value;
            if (!first)
                first = value;
            else if (put_other(work, name, value) < 0)
                return -1;
        }
    }
    if (!first) return 0;
    return (*into = one_line(first)) ? 0 : -1;
}

/* ---- identifiers and years -------------------------------------------------------------------------------------- */

static int at_word(const char *data, Py_ssize_t size, Py_ssize_t at, const char *word)
{
    for (; *word; word++, at++)
        if (at >= size || (data[at] >= 'A' && data[at] <= 'Z' ? data[at] + 32 : data[at]) != *word) return 0;
    return 1;
}

static int is_digit(char c) { return c >= '0' && c <= '9'; }
static int is_small(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }
static int is_word(char c) { return is_digit(c) || is_small(c) || c == '_'; }

/* find_doi in other text without `%`: 0 with `*found` or NULL, -1 on an error, 2 where it takes the twin. */
static int doi_within(const char *data, Py_ssize_t size, PyObject *text, PyObject **found)
{
    for (Py_ssize_t i = 0; i + 3 <= size; i++) {
        const char *next = memchr(data + i, '1', (size_t)(size - i));
        if (!next) return 0;
        i = next - data;
        if (size - i < 3 || data[i + 1] != '0' || data[i + 2] != '.') continue;
        Py_ssize_t at = i + 3;
        while (at < size && is_digit(data[at])) at++;
        if (at - i < 7 || at - i > 12) continue;
        while (at + 1 < size && data[at] == '.' && is_digit(data[at + 1]))
            for (at++; at < size && is_digit(data[at]);) at++;
        if (at + 1 >= size || data[at] != '/') continue;
        int link = says(text, "http") || says(text, "www.");
        Py_ssize_t end = at + 1;
        for (; end < size; end++) {
            char c = data[end];
            if (c == 127 || (c < ' ' && !Py_UNICODE_ISSPACE((unsigned char)c))) return 2;
            if (c == '"' || Py_UNICODE_ISSPACE((unsigned char)c) || (link && (c == '?' || c == '&' || c == '#'))) break;
        }
        if (end == at + 1) {
            if (end < size && (data[end] == '?' || data[end] == '&' || data[end] == '#')) return 2;
            continue;
        }
        if (!is_digit(data[end - 1]) && !is_small(data[end - 1])) return 2;
        PyObject *made = PyUnicode_New(end - i, 127);
        if (!made) return -1;
        char *into = PyUnicode_DATA(made);
        for (Py_ssize_t k = i; k < end; k++) into[k - i] = (char)(data[k] >= 'A' && data[k] <= 'Z' ? data[k] + 32 : data[k]);
        *found = made;
        return 0;
    }
    return 0;
}

/* find_doi: sets `*found` to a new reference or leaves it NULL. */
int doi_in(PyObject *text, PyObject **found)
{
    *found = NULL;
    if (PyUnicode_IS_ASCII(text)) {
        const char *data = PyUnicode_DATA(text);
        Py_ssize_t size = LENGTH(text), at = 0, digits = 0;
        if (at_word(data, size, 0, "http")) {
            at = at_word(data, size, 4, "s") ? 5 : 4;
            at += at_word(data, size, at, "://dx.doi.org/") ? 14 : at_word(data, size, at, "://doi.org/") ? 11 : 0;
        } else if (at_word(data, size, 0, "doi:"))
            for (at = 4; at < size && data[at] == ' ';) at++;
        Py_ssize_t begin = at;
        if (at_word(data, size, at, "10.")) {
            for (at += 3; at < size && data[at] >= '0' && data[at] <= '9'; at++) digits++;
            if (digits >= 4 && digits <= 9 && at + 1 < size && data[at] == '/') {
                int capital = 0;
                for (; at < size; at++) {
                    char c = data[at];
                    if (c <= ' ' || c == 127 || c == '"' || c == '%' || c == '?' || c == '&' || c == '#') break;
                    capital |= c >= 'A' && c <= 'Z';
                }
                char last = data[size - 1];
                if (at == size && ((last >= '0' && last <= '9') || ((last | 32) >= 'a' && (last | 32) <= 'z'))) {
                    *found = PyUnicode_Substring(text, begin, size);
                    if (*found && capital) { /* a part of a longer text is a new object; a whole one is copied */
                        PyObject *lower = PyUnicode_New(size - begin, 127);
                        if (lower) {
                            char *into = PyUnicode_DATA(lower);
                            for (Py_ssize_t i = begin; i < size; i++)
                                into[i - begin] = (char)(data[i] >= 'A' && data[i] <= 'Z' ? data[i] + 32 : data[i]);
                        }
                        Py_SETREF(*found, lower);
                    }
                    return *found ? 0 : -1;
                }
            }
        }
        if (!has_char(text, '%')) {
            int told = doi_within(data, size, text, found);
            if (told != 2) return told;
        }
    }
    PyObject *answer = ask(FIND_DOI, text);
    if (!answer) return -1;
    if (answer == Py_None)
        Py_DECREF(answer);
    else
        *found = answer;
    return 0;
}

/* Ovid's address of a record in one of its MEDLINE, which counts by PubMed's numbers: 0 with `*found` or NULL, -1 on an
   error, 2 where it takes the twin. */
static int pmid_of_ovid(PyObject *text, PyObject **found)
{
    static const char *const bases[] = {"med", "mes", "prem", "pmnm", "ppez", "cmed"};
    const char *data = PyUnicode_DATA(text);
    Py_ssize_t size = LENGTH(text), at = 0;
    while (at < size && !at_word(data, size, at, "ovidweb.cgi?")) at++;
    if (at == size) return 0;
    Py_ssize_t begin = at + 12, end = begin;
    while (end < size && !Py_UNICODE_ISSPACE((unsigned char)data[end])) end++;
    for (at = end; at < size; at++)
        if (at_word(data, size, at, "ovidweb.cgi?")) return 2;
    int is = 0;
    for (at = begin; at + 2 < end && !is; at++)
        if ((data[at] | 32) == 'd' && data[at + 1] == '=' && !is_word(data[at - 1]))
            for (int b = 0; b < 6; b++) is |= at_word(data, end, at + 2, bases[b]);
    if (!is) return 0;
    for (at = end - 4; at >= begin; at--) { /* the last that is one */
        if ((data[at] | 32) != 'a' || (data[at + 1] | 32) != 'n' || data[at + 2] != '=' || is_word(data[at - 1])) continue;
        Py_ssize_t first = at + 3, last = first;
        while (last < size && is_digit(data[last])) last++;
        if (last == first || last - first > 8 || (last < size && is_word(data[last]))) continue;
        while (first < last && data[first] == '0') first++;
        if (first == last) return 0;
        return (*found = PyUnicode_Substring(text, first, last)) ? 0 : -1;
    }
    return 0;
}

/* find_pmid, of bare digits too where they stand `alone`; sets `*found` to a new reference or leaves it NULL. */
static int pmid_in(PyObject *text, int alone, PyObject **found)
{
    *found = NULL;
    if (alone && is_ascii_digits(text) && LENGTH(text) <= 8) {
        Py_ssize_t at = 0;
        while (at < LENGTH(text) && CHAR(text, at) == '0') at++;
        if (at == LENGTH(text)) return 0;
        return (*found = PyUnicode_Substring(text, at, LENGTH(text))) ? 0 : -1;
    }
    if (PyUnicode_IS_ASCII(text) && LENGTH(text) > 7 && folded_at(text, 0, "pubmed ")) { /* as CENTRAL has it */
        Py_ssize_t end = 7;
        while (end < LENGTH(text) && CHAR(text, end) >= '0' && CHAR(text, end) <= '9') end++;
        if (end > 7 && end <= 15 && CHAR(text, 7) != '0' && (end == LENGTH(text) || CHAR(text, end) == ','))
            return (*found = PyUnicode_Substring(text, 7, end)) ? 0 : -1;
    }
    if (PyUnicode_IS_ASCII(text)) { /* PubMed's address of a record, and nothing else */
        static const char *const heads[] = {"https://pubmed.ncbi.nlm.nih.gov/", "http://pubmed.ncbi.nlm.nih.gov/",
                                            "https://www.ncbi.nlm.nih.gov/pubmed/", "http://www.ncbi.nlm.nih.gov/pubmed/"};
        for (int h = 0; h < 4; h++) {
            if (!folded_at(text, 0, heads[h])) continue;
            Py_ssize_t begin = (Py_ssize_t)strlen(heads[h]), end = begin;
            while (end < LENGTH(text) && CHAR(text, end) >= '0' && CHAR(text, end) <= '9') end++;
            if (end == begin || end - begin > 8 || CHAR(text, begin) == '0') break;
            if (end < LENGTH(text) - 1 || (end == LENGTH(text) - 1 && CHAR(text, end) != '/')) break;
            return (*found = PyUnicode_Substring(text, begin, end)) ? 0 : -1;
        }
    }
    if (!says(text, "pmid") && !says(text, "pubmed") && !says(text, "medline")) {
        if (!says(text, "ovidweb")) return 0;
        int told = PyUnicode_IS_ASCII(text) ? pmid_of_ovid(text, found) : 2;
        if (told != 2) return told;
    }
    PyObject *answer = ask(FIND_PMID, text);
    if (!answer) return -1;
    if (answer == Py_None)
        Py_DECREF(answer);
    else
        *found = answer;
    return 0;
}

/* find_year: 0 for none. */
int year_in(PyObject *s)
{
    Py_ssize_t size = LENGTH(s);
    int digits = 0, value = 0;
    for (; digits < 4 && digits < size; digits++) {
        Py_UCS4 c = CHAR(s, digits);
        if (c < '0' || c > '9') break;
        value = 10 * value + (int)(c - '0');
    }
    if (digits == 4 && value >= 1500 && value < 2200 && !(size > 4 && Py_UNICODE_ISDIGIT(CHAR(s, 4)))) return value;
    for (Py_ssize_t i = 0; i < size; i++) {
        if (!Py_UNICODE_ISDECIMAL(CHAR(s, i))) continue;
        Py_ssize_t end = i;
        while (end < size && Py_UNICODE_ISDECIMAL(CHAR(s, end))) end++;
        if (end - i == 4) {
            Py_UCS4 a = CHAR(s, i), b = CHAR(s, i + 1);
            if ((a == '1' && b >= '5' && b <= '9') || (a == '2' && (b == '0' || b == '1')))
                return (int)(1000 * (a - '0') + 100 * (b - '0')) + 10 * Py_UNICODE_TODECIMAL(CHAR(s, i + 2)) +
                       Py_UNICODE_TODECIMAL(CHAR(s, i + 3));
        }
        i = end;
    }
    return 0;
}

/* ---- the steps of the twin, in its order ------------------------------------------------------------------------ */

/* _untangle: splits what stands on one line behind an address or a DOI, three blanks and a tag between. */
static int untangled(Work *work, Fields *fields)
{
    static const int tags[] = {TAG('U', 'R'), TAG('D', 'O')};
    for (int t = 0; t < 2; t++) {
        Group *group = get(fields, tags[t]);
        if (!group) continue;
        EACH(i, group)
        {
            PyObject *value = fields->value[i];
            Py_ssize_t size = LENGTH(value), from = 0;
            int tag = -1, parts = 0;
            if (!holds(value, "  - ")) continue;
            if (fields->count + size / 8 >= MOST) return JUDGE;
            Py_INCREF(value);
            for (Py_ssize_t at = 0; at <= size; at++) {
                Py_ssize_t next = at;
                while (next < size && Py_UNICODE_ISSPACE(CHAR(value, next))) next++;
                int found = -1;
                if (next - at >= 3 && next + 6 <= size && CHAR(value, next + 2) == ' ' && CHAR(value, next + 3) == ' ' &&
                    CHAR(value, next + 4) == '-' && CHAR(value, next + 5) == ' ')
                    found = place(CHAR(value, next), CHAR(value, next + 1));
                if (found < 0 && at < size) {
                    if (next > at) at = next - 1;
                    continue;
                }
                if (found == TAG('T', 'Y')) { /* it is taken already */
                    Py_DECREF(value);
                    return JUDGE;
                }
                if (found >= 0 && !fields->before && !(fields->before = dictionary(fields))) goto error;
                if (found >= 0 || parts) {
                    PyObject *part = stripped_part(value, from, at);
                    if (!part) goto error;
                    if (!parts++)
                        Py_SETREF(fields->value[i], part);
                    else if (add(fields, tag, NULL, part) < 0)
                        goto error;
                }
                tag = found;
                from = next + 6;
                at = next + 5;
            }
            Py_DECREF(value);
            if (parts && repaired(work, PyUnicode_FromString("several fields stood on one line")) < 0) return FAILED;
            continue;
        error:
            Py_DECREF(value);
            return FAILED;
        }
    }
    return DONE;
}

static int notes_of(Work *work, Fields *fields)
{
    static const int tags[] = {TAG('N', '1'), TAG('R', 'N'), TAG('N', 'O')};
    PyObject *notes = NULL;
    for (int t = 0; t < 3; t++) {
        Group *group = pop(fields, tags[t]);
        if (!group) continue;
        if (!notes && !(notes = PyList_New(0))) return -1;
        EACH(i, group)
        {
            PyObject *note = fields->value[i];
            if (!LENGTH(note)) continue;
            note = has_lines(note) ? paragraphs(note) : Py_NewRef(note);
            int bad = !note || PyList_Append(notes, note) < 0;
            Py_XDECREF(note);
            if (bad) {
                Py_DECREF(notes);
                return -1;
            }
        }
    }
    if (notes) {
        work->slot[R_NOTES] = PyList_AsTuple(notes);
        Py_DECREF(notes);
        if (!work->slot[R_NOTES]) return -1;
    }
    return 0;
}

static int dois(Work *work, Fields *fields)
{
    PyObject **doi = &work->slot[R_DOI], *found;
    Group *given = pop(fields, TAG('D', 'O'));
    if (given) {
        int at = -1;
        EACH(i, given)
        {
            PyObject *value = fields->value[i];
            if (!LENGTH(value)) continue;
            int again = 0;
            for (int k = given->head; k != i && !again; k = fields->next[k]) again = same(fields->value[k], value);
            if (again) continue;
            if (++at > 64) return JUDGE;
            if (doi_in(value, &found) < 0) return FAILED;
            if (found && !*doi) {
                *doi = found;
                continue;
            }
            int other = !found || !same(found, *doi);
            Py_XDECREF(found);
            if (other && put_other(work, name_of(TAG('D', 'O')), value) < 0) return FAILED;
        }
    }
    if (*doi) {
        Group *group = get(fields, TAG('D', 'I'));
        if (group) EACH(i, group)
            {
                if (doi_in(fields->value[i], &found) < 0) return FAILED;
                fields->gone[i] = found && same(found, *doi);
                Py_XDECREF(found);
            }
        return DONE;
    }
    static const int tags[] = {TAG('D', 'I'), TAG('L', '3'), TAG('M', '3'), TAG('U', 'R'), TAG('L', 'K'), TAG('L', '2'),
                               TAG('N', '1'), TAG('A', 'N'), TAG('I', 'D'), TAG('C', '7'), TAG('L', '1'), TAG('L', '4')};
    for (size_t t = 0; t < sizeof tags / sizeof *tags; t++) {
        if (tags[t] == TAG('N', '1')) {
            PyObject *notes = work->slot[R_NOTES];
            for (Py_ssize_t i = 0; notes && i < PyTuple_GET_SIZE(notes); i++) {
                PyObject *note = PyTuple_GET_ITEM(notes, i);
                if (!holds(note, "10.") || !says(note, "doi")) continue;
                if (!(found = ask(DOI_IN_NOTE, note))) return FAILED;
                if (found != Py_None) {
                    *doi = found;
                    return repaired(work, PyUnicode_FromString("DOI found in N1")) < 0 ? FAILED : DONE;
                }
                Py_DECREF(found);
            }
            continue;
        }
        Group *group = get(fields, tags[t]);
        if (!group) continue;
        EACH(i, group)
        {
            PyObject *value = fields->value[i];
            if (!holds(value, "10.")) continue;
            if (doi_in(value, &found) < 0) return FAILED;
            if (!found) continue;
            *doi = found;
            if ((tags[t] == TAG('D', 'I') || tags[t] == TAG('M', '3')) && !has_char(value, ' ')) fields->gone[i] = 1;
            PyObject *name = name_of(tags[t]);
            return repaired(work, name ? PyUnicode_FromFormat("DOI found in %U", name) : NULL) < 0 ? FAILED : DONE;
        }
    }
    return DONE;
}

static int names_medline(Fields *fields)
{
    static const int tags[] = {TAG('D', 'B'), TAG('D', 'P')};
    for (int t = 0; t < 2; t++) {
        Group *group = get(fields, tags[t]);
        if (group) EACH(i, group) if (says(fields->value[i], "medline") || says(fields->value[i], "pubmed")) return 1;
        if (group && tags[t] == TAG('D', 'P')) /* PROVIDER_OF_PUBMED */
            EACH(i, group) if (LENGTH(fields->value[i]) == 3 && holds(fields->value[i], "NLM")) return 1;
    }
    return 0;
}

static int names_embase(Fields *fields)
{
    Group *group = get(fields, TAG('D', 'B'));
    if (group) EACH(i, group) if (says(fields->value[i], "embase")) return 1;
    return 0;
}

/* Takes the first value equal to `value` out of `group`. */
static void take_out(Fields *fields, Group *group, PyObject *value)
{
    EACH(i, group) if (same(fields->value[i], value))
    {
        fields->gone[i] = 1;
        return;
    }
}

static int odd_pmid(Work *work, Fields *fields)
{
    static const int tags[] = {TAG('A', 'N'), TAG('I', 'D'), TAG('C', '7'), TAG('C', '5'), TAG('C', '3'),
                               TAG('C', '2'), TAG('U', 'I'), TAG('U', '2'), TAG('M', '1'), TAG('M', '2'),
                               TAG('U', 'R'), TAG('L', '2'), TAG('L', 'K')};
    PyObject *found;
    for (size_t t = 0; t < sizeof tags / sizeof *tags; t++) {
        int tag = tags[t];
        Group *group = get(fields, tag);
        if (!group) continue;
        int first = group->head;
        while (first >= 0 && fields->gone[first]) first = fields->next[first];
        if (first < 0) continue;
        Py_ssize_t length = LENGTH(fields->value[first]);
        int address = tag == TAG('U', 'R') || tag == TAG('L', '2') || tag == TAG('L', 'K');
        int bare = ((tag == TAG('A', 'N') || tag == TAG('U', 'I')) && names_medline(fields)) ||
                   (tag == TAG('I', 'D') && length >= 7 && names_medline(fields)) ||
                   (tag == TAG('C', '5') && names_embase(fields)) || (tag == TAG('C', '7') && length == 8);
        EACH(i, group)
        {
            PyObject *value = fields->value[i];
            if (address && !holds(value, "ncbi.nlm") && !holds(value, "ovidweb")) continue;
            if (tag == TAG('M', '1') || tag == TAG('M', '2')) {
                int may = folded_at(value, 0, "pmid") || folded_at(value, 0, "pubmed") ||
                          folded_at(value, 0, "medline") || folded_at(value, 0, "http");
                int is = may ? asked(SAYS_PMID, value) : 0;
                if (is < 0) return FAILED;
                if (!is) continue;
            }
            if (pmid_in(value, bare && !address, &found) < 0) return FAILED;
            if (!found) continue;
            work->slot[R_PMID] = found;
            PyObject *name = name_of(tag);
            if (tag == TAG('C', '7') || tag == TAG('C', '5') || tag == TAG('U', '2')) take_out(fields, group, value);
            return repaired(work, name ? PyUnicode_FromFormat("PMID found in %U", name) : NULL);
        }
    }
    PyObject *notes = work->slot[R_NOTES];
    for (Py_ssize_t i = 0; notes && i < PyTuple_GET_SIZE(notes); i++) {
        PyObject *note = PyTuple_GET_ITEM(notes, i);
        if (!folded_at(note, 0, "pmid")) continue;
        if (!(found = ask(PMID_IN_NOTE, note))) return FAILED;
        if (found == Py_None) {
            Py_DECREF(found);
            continue;
        }
        if (LENGTH(found))
            work->slot[R_PMID] = found;
        else
            Py_DECREF(found);
        return repaired(work, PyUnicode_FromString("PMID found in N1"));
    }
    return DONE;
}

static int is_pmcid(PyObject *s)
{
    Py_ssize_t size = LENGTH(s);
    if (size < 6 || size > 12 || !PyUnicode_IS_ASCII(s) || memcmp(PyUnicode_DATA(s), "PMC", 3)) return 0;
    for (Py_ssize_t i = 3; i < size; i++)
        if (CHAR(s, i) < '0' || CHAR(s, i) > '9') return 0;
    return 1;
}

PyObject *pmcid_in(PyObject *s)
{
    if (is_pmcid(s)) return Py_NewRef(s);
    if (!PyUnicode_IS_ASCII(s)) return ask(FIND_PMCID, s);
    const char *data = PyUnicode_DATA(s);
    Py_ssize_t size = LENGTH(s);
    for (Py_ssize_t at = 0; at + 6 <= size; at++) {
        if (!at_word(data, size, at, "pmc") || (at && is_word(data[at - 1]))) continue;
        Py_ssize_t end = at + 3;
        while (end < size && is_digit(data[end])) end++;
        if (end - at < 6 || end - at > 12 || (end < size && is_word(data[end]))) continue;
        char made[12] = "PMC";
        memcpy(made + 3, data + at + 3, (size_t)(end - at - 3));
        return PyUnicode_FromStringAndSize(made, end - at);
    }
    Py_RETURN_NONE;
}

static int other_identifiers(Work *work, Fields *fields)
{
    PyObject *found;
    if (IS_THERE(PMID_TAG) || IS_THERE(TAG('P', 'M'))) {
        Group *group = pop(fields, PMID_TAG);
        if (!group) group = pop(fields, TAG('P', 'M'));
        EACH(i, group)
        {
            PyObject *value = fields->value[i];
            if (!LENGTH(value)) continue;
            found = NULL;
            if (!work->slot[R_PMID] && pmid_in(value, 1, &found) < 0) return FAILED;
            if (found)
                work->slot[R_PMID] = found;
            else if (put_other(work, name_of(PMID_TAG), value) < 0)
                return FAILED;
        }
    }
    if (!work->slot[R_PMID] && odd_pmid(work, fields) < 0) return FAILED;
    static const int tags[] = {TAG('C', '2'), TAG('C', '7'), TAG('U', 'R'), TAG('L', '1'), TAG('L', '2'), TAG('L', '4')};
    for (size_t t = 0; t < sizeof tags / sizeof *tags; t++) {
        Group *group = get(fields, tags[t]);
        if (!group) continue;
        EACH(i, group)
        {
            PyObject *value = fields->value[i];
            if (!holds(value, "PMC")) continue;
            if (!(found = pmcid_in(value))) return FAILED;
            if (found == Py_None) {
                Py_DECREF(found);
                continue;
            }
            work->slot[R_PMCID] = found;
            if (t < 2 && LENGTH(value) == LENGTH(found)) {
                int is = 1;
                for (Py_ssize_t k = 0; k < LENGTH(found) && is; k++)
                    is = Py_UNICODE_TOUPPER(CHAR(value, k)) == CHAR(found, k);
                if (is) take_out(fields, group, value);
            }
            return DONE;
        }
    }
    return DONE;
}

static int title_of(Work *work, Fields *fields)
{
    static const int tags[] = {TAG('T', 'I'), TAG('T', '1'), TAG('C', 'T'), TAG('B', 'T'), TAG('S', 'T')};
    PyObject **title = &work->slot[R_TITLE];
    for (int t = 0; t < 5; t++) {
        if (!IS_THERE(tags[t]) || (*title && (t == 2 || t == 3))) continue;
        Group *group = pop(fields, tags[t]);
        EACH(i, group)
        {
            PyObject *text = one_line(fields->value[i]);
            if (!text) return FAILED;
            int bad = 0;
            if (LENGTH(text) && !*title)
                *title = Py_NewRef(text);
            else if (LENGTH(text) && !same(text, *title))
                bad = put_other(work, name_of(tags[t]), text);
            Py_DECREF(text);
            if (bad < 0) return FAILED;
        }
    }
    return DONE;
}

/* The names in the values of `one` and `two` that are not gone, as a tuple; NULL on an error. */
static PyObject *names_of(Work *work, Fields *fields, Group *one, Group *two)
{
    Group *both[2] = {one, two};
    int plain = 1;
    for (int b = 0; b < 2 && plain; b++)
        if (both[b]) EACH(i, both[b])
            {
                PyObject *value = fields->value[i];
                if (has_char(value, ';') || has_char(value, '\n')) plain = 0;
            }
    PyObject *list = plain ? NULL : PyList_New(0);
    if (!plain && !list) return NULL;
    for (int b = 0; b < 2; b++)
        if (both[b]) EACH(i, both[b])
            {
                PyObject *value = fields->value[i];
                if ((plain ? once(&work->list, Py_NewRef(value)) : PyList_Append(list, value)) < 0) {
                    drop(&work->list);
                    Py_XDECREF(list);
                    return NULL;
                }
            }
    if (plain) return as_tuple(&work->list);
    PyObject *names = repairs_of(work) ? ask_two(NAMES_OF, list, work->repairs) : NULL;
    Py_DECREF(list);
    return names;
}

/* surnames_alone: a row of more than three family names of more than two letters each. */
static int surnames_alone(PyObject *s)
{
    Py_ssize_t begin = 0, size = LENGTH(s);
    int commas = 0;
    for (Py_ssize_t i = 0; i <= size; i++) {
        Py_UCS4 c = i < size ? CHAR(s, i) : ',';
        if (c == ';') return 0;
        if (c != ',') continue;
        commas += i < size;
        Py_ssize_t from = begin, to = i;
        while (from < to && Py_UNICODE_ISSPACE(CHAR(s, from))) from++;
        while (to > from && Py_UNICODE_ISSPACE(CHAR(s, to - 1))) to--;
        while (to > from && CHAR(s, to - 1) == '.') to--;
        if (to - from <= 2) return 0;
        begin = i + 1;
    }
    return commas > 2;
}

static int people(Work *work, Fields *fields, PyObject *code)
{
    PyObject **authors = &work->slot[R_AUTHORS], **editors = &work->slot[R_EDITORS];
    Group *given = pop(fields, TAG('A', 'U')), *first = pop(fields, TAG('A', '1'));
    if ((given || first) && !(*authors = names_of(work, fields, given, first))) return FAILED;
    Group *second = get(fields, TAG('A', '2')), *edited = pop(fields, TAG('E', 'D'));
    if (!second && !edited) return DONE;
    if (edited && !(*editors = names_of(work, fields, edited, NULL))) return FAILED;
    if (!second) return DONE;
    int cited = 0, left = 0;
    EACH(i, second)
    {
        PyObject *value = fields->value[i];
        int is = surnames_alone(value);
        /* an equal value says the same */
        cited += is;
        left += !is;
        fields->gone[i] = (char)(is ? 2 : 0);
    }
    PyObject *names = NULL;
    if (left && !(names = names_of(work, fields, second, NULL))) return FAILED;
    if (cited) {
        for (int i = second->head; i >= 0; i = fields->next[i]) fields->gone[i] = fields->gone[i] != 2; /* those stay */
    } else
        pop(fields, TAG('A', '2'));
    if (!names) return DONE;
    static const char *const articles[] = {"jour", "conf", "cpaper", "abst", "ejour", "", NULL};
    int article = 0;
    for (int k = 0; articles[k]; k++) article |= LENGTH(code) == (Py_ssize_t)strlen(articles[k]) && folded_at(code, 0, articles[k]);
    if (article && !(*authors && PyTuple_GET_SIZE(*authors))) {
        Py_XSETREF(*authors, names);
        return PyTuple_GET_SIZE(names) && repaired(work, PyUnicode_FromString("authors found in A2")) < 0 ? FAILED : DONE;
    }
    for (int turn = 0; turn < 2; turn++) {
        PyObject *from = turn ? *editors : names;
        for (Py_ssize_t i = 0; from && i < PyTuple_GET_SIZE(from); i++)
            if (once(&work->list, Py_NewRef(PyTuple_GET_ITEM(from, i))) < 0) {
                Py_DECREF(names);
                return FAILED;
            }
    }
    Py_DECREF(names);
    Py_XSETREF(*editors, as_tuple(&work->list));
    return *editors ? DONE : FAILED;
}

static int when(Work *work, Fields *fields)
{
    static const int tags[] = {TAG('P', 'Y'), TAG('Y', '1'), TAG('Y', 'R'), TAG('D', 'A')};
    int year = 0;
    PyObject **date = &work->slot[R_DATE];
    for (int t = 0; t < 4; t++) {
        Group *group = pop(fields, tags[t]);
        if (!group) continue;
        int is_date = t == 3;
        EACH(i, group)
        {
            PyObject *text = fields->value[i];
            if (!LENGTH(text)) continue;
            int found = year_in(text);
            if (!found) {
                if (!is_date && !(t == 1 && year) &&
                    repaired(work, PyUnicode_FromString("the year cannot be read and is kept among the other fields")) < 0)
                    return FAILED;
            } else if (!year)
                year = found;
            Py_ssize_t size = LENGTH(text);
            while (size && CHAR(text, size - 1) == '/') size--;
            char digits[16];
            snprintf(digits, sizeof digits, "%d", year);
            const char *shown = year ? digits : "None";
            Py_ssize_t k = 0;
            while (k < size && shown[k] && CHAR(text, k) == (Py_UCS4)(unsigned char)shown[k]) k++;
            if (k == size && !shown[k]) continue;
            if (!*date && (found == year || is_date) && (found || is_date)) {
                if (!(*date = one_line(text))) return FAILED;
            } else if (!*date || !same(text, *date)) {
                if (put_other(work, name_of(tags[t]), text) < 0) return FAILED;
            }
        }
    }
    if (year && !(work->slot[R_YEAR] = PyLong_FromLong(year))) return FAILED;
    return DONE;
}

/* A journal's name without the ISSN behind it; a new reference. */
static PyObject *without_issn(PyObject *text)
{
    Py_ssize_t size = LENGTH(text);
    if (size < 10 || CHAR(text, size - 1) != ')' || (CHAR(text, size - 10) != '(' && (size < 11 || CHAR(text, size - 11) != '(')))
        return Py_NewRef(text);
    return ask(WITHOUT_ISSN, text);
}

static int of_conference(PyObject *code)
{
    Py_ssize_t size = LENGTH(code);
    return (size == 4 && (folded_at(code, 0, "conf") || folded_at(code, 0, "abst"))) ||
           (size == 6 && folded_at(code, 0, "cpaper"));
}

static int journals(Work *work, Fields *fields, PyObject *code)
{
    static const int full_tags[] = {TAG('J', 'F'), TAG('T', '2'), TAG('J', 'O'), TAG('S', 'O'), TAG('B', 'T'),
                                    TAG('J', 'A'), TAG('J', '2'), TAG('J', '1'), TAG('J', 'I'), TAG('J', '9')};
    static const int short_tags[] = {TAG('J', 'A'), TAG('J', '2'), TAG('J', '1'), TAG('J', 'I'), TAG('J', 'O'), TAG('J', '9')};
    PyObject **full = &work->slot[R_JOURNAL], **brief = &work->slot[R_SHORT];
    int there = 0, source = 0;
    for (int t = 0; t < 10; t++) {
        Group *group = get(fields, full_tags[t]);
        if (!group) continue;
        there++;
        PyObject *first = fields->value[group->head];
        if (*full || !LENGTH(first)) continue;
        PyObject *text = one_line(first);
        if (!text) return FAILED;
        *full = without_issn(text);
        Py_DECREF(text);
        if (!*full) return FAILED;
        if (!LENGTH(*full)) Py_SETREF(*full, Py_NewRef(first));
        source = full_tags[t];
    }
    if (!*full) return IS_THERE(TAG('C', '3')) && of_conference(code) ? JUDGE : DONE;
    for (int t = 0; there > 1 && t < 6 && !*brief; t++) {
        Group *group = short_tags[t] != source ? get(fields, short_tags[t]) : NULL;
        if (!group || !LENGTH(fields->value[group->head])) continue;
        PyObject *text = one_line(fields->value[group->head]);
        if (!text) return FAILED;
        if (same(text, *full))
            Py_DECREF(text);
        else
            *brief = text;
    }
    for (int t = 0; t < 10; t++) {
        Group *group = pop(fields, full_tags[t]);
        if (!group) continue;
        EACH(i, group)
        {
            if (!LENGTH(fields->value[i]) || same(fields->value[i], *full)) continue;
            PyObject *text = one_line(fields->value[i]), *bare = NULL;
            int bad = !text;
            if (!bad && !same(text, *full) && !(*brief && same(text, *brief))) {
                bare = without_issn(text);
                bad = !bare || (!same(bare, *full) && put_other(work, name_of(full_tags[t]), text) < 0);
            }
            Py_XDECREF(bare);
            Py_XDECREF(text);
            if (bad) return FAILED;
        }
    }
    return DONE;
}

/* Whether `s` is the number of an article in a volume without pages. */
static int is_article(PyObject *s)
{
    Py_ssize_t size = LENGTH(s), at = 0;
    if (!PyUnicode_IS_ASCII(s)) return 0;
    const char *data = PyUnicode_DATA(s);
    while (at < size && at < 5 && is_small(data[at])) at++;
    if (at < size && (data[at] == '-' || data[at] == '.')) at++;
    if (at == size || !is_digit(data[at]) || size - at > 15 || (size > 2 && !memcmp(data, "PMC", 3))) return 0;
    for (; at < size; at++)
        if (!is_word(data[at]) && data[at] != '.' && data[at] != '-') return 0;
    return 1;
}

static int pages_of(Work *work, Fields *fields)
{
    PyObject *first = NULL, *last = NULL, **pages = &work->slot[R_PAGES];
    int told = single(work, fields, TAG('S', 'P'), TAG('S', 'P'), &first);
    if (!told) told = single(work, fields, TAG('E', 'P'), TAG('E', 'P'), &last);
    if (!told && ((first && says(first, "pecified")) || (last && says(last, "pecified")))) {
        PyObject *both = PyUnicode_FromFormat("%U %U", first ? first : empty, last ? last : empty);
        int none = both ? asked(NO_PAGES, both) : -1;
        Py_XDECREF(both);
        if (none < 0) told = -1;
        if (none > 0) {
            Py_CLEAR(first);
            Py_CLEAR(last);
        }
    }
    if (!told && first && last && !same(first, last)) {
        if (has_char(first, '-') || has_char(first, 0x2013)) {
            *pages = Py_NewRef(first);
            if (!ends_with(first, last)) told = put_other(work, name_of(TAG('E', 'P')), last);
        } else if (!(*pages = PyUnicode_FromFormat("%U-%U", first, last)))
            told = -1;
    } else if (!told)
        *pages = Py_XNewRef(first ? first : last);
    Py_XDECREF(first);
    Py_XDECREF(last);
    if (told) return told < 0 ? FAILED : JUDGE;
    Group *number = *pages ? NULL : get(fields, TAG('C', '7'));
    if (number) {
        int many = 0, only = -1;
        EACH(i, number) many++, only = i;
        if (many == 1) {
            if (is_article(fields->value[only])) {
                pop(fields, TAG('C', '7'));
                *pages = Py_NewRef(fields->value[only]);
            }
        }
    }
    return DONE;
}

static int abstract_of(Work *work, Fields *fields)
{
    static const int tags[] = {TAG('A', 'B'), TAG('N', '2')};
    PyObject **abstract = &work->slot[R_ABSTRACT];
    for (int t = 0; t < 2; t++) {
        Group *group = pop(fields, tags[t]);
        if (!group) continue;
        PyObject *text = NULL;
        if (group->size == 1)
            text = Py_NewRef(fields->value[group->head]);
        else {
            PyObject *list = PyList_New(0);
            int bad = !list;
            EACH(i, group) if (!bad && LENGTH(fields->value[i])) bad = PyList_Append(list, fields->value[i]) < 0;
            if (!bad) text = PyUnicode_Join(line_feed, list);
            Py_XDECREF(list);
        }
        if (text && has_lines(text)) Py_SETREF(text, paragraphs(text));
        if (!text) return FAILED;
        int bad = 0;
        if (!LENGTH(text))
            ;
        else if (!*abstract)
            *abstract = Py_NewRef(text);
        else if (!same(text, *abstract))
            bad = put_other(work, name_of(tags[t]), text);
        Py_DECREF(text);
        if (bad < 0) return FAILED;
    }
    return DONE;
}

static int keywords_of(Work *work, Fields *fields)
{
    Group *groups[3] = {pop(fields, TAG('K', 'W')), pop(fields, TAG('K', '1')), pop(fields, TAG('D', 'E'))};
    int many = 0, several = 0, lines = 0;
    for (int g = 0; g < 3; g++)
        if (groups[g]) EACH(i, groups[g])
            {
                many++;
                several |= has_char(fields->value[i], ';');
                lines |= has_char(fields->value[i], '\n');
            }
    if (!many) return DONE;
    const char *why = NULL;
    for (int g = 0; g < 3; g++)
        if (groups[g]) EACH(i, groups[g])
            {
                PyObject *value = fields->value[i];
                int cut = 0;
                if (many == 1) {
                    if (several) why = "several keywords stood in one field";
                    cut = several || lines;
                } else if (lines && has_char(value, '\n')) {
                    why = "several keywords stood in one field";
                    cut = 1;
                }
                if ((cut ? parts_once(&work->list, value, '\n', many == 1 ? ';' : '\n')
                         : once(&work->list, Py_NewRef(value))) < 0)
                    return FAILED;
            }
    if (why && repaired(work, PyUnicode_FromString(why)) < 0) return FAILED;
    return (work->slot[R_KEYWORDS] = as_tuple(&work->list)) ? DONE : FAILED;
}

/* registered_in of a plain value: 1 where it was taken into the list, 0 where it takes the twin, -1 on an error. */
static int numbers_in(Work *work, PyObject *value)
{
    static const char *const words[] = {"pubmed ", "embase ", "ctgov ", "ictrp ", "cinahl ", "amed ", "crs ", "koreamed "};
    if (!PyUnicode_IS_ASCII(value)) return 0;
    const char *data = PyUnicode_DATA(value);
    Py_ssize_t size = LENGTH(value);
    for (int turn = 0; turn < 2; turn++)
        for (Py_ssize_t begin = 0, end; begin <= size; begin = end + 1) {
            const char *comma = begin < size ? memchr(data + begin, ',', (size_t)(size - begin)) : NULL;
            end = comma ? comma - data : size;
            Py_ssize_t at = begin;
            for (int w = 0; w < 8 && at == begin; w++)
                if (at_word(data, end, begin, words[w])) at += (Py_ssize_t)strlen(words[w]);
            if (turn) {
                if (at_word(data, end, begin, "pubmed")) continue;
                if (!memcmp(data + begin, "CTgov ", 6)) begin += 6;
                if (once(&work->list, PyUnicode_Substring(value, begin, end)) < 0) return -1;
                continue;
            }
            if (at == begin || at == end) return 0;
            for (; at < end; at++)
                if (!is_word(data[at]) && data[at] != '-' && data[at] != '/' && data[at] != '.') return 0;
        }
    return 1;
}

static int registered(Work *work, Fields *fields)
{
    Group *group = get(fields, TAG('C', '3'));
    if (!group) return DONE;
    static const char *const words[] = {"pubmed", "embase", "ctgov", "ictrp", "cinahl", "amed", "crs", "koreamed", NULL};
    int any = 0;
    EACH(i, group) for (int w = 0; words[w] && !any; w++) any = says(fields->value[i], words[w]);
    if (!any) return DONE;
    EACH(i, group)
    {
        PyObject *value = fields->value[i];
        if (!LENGTH(value)) continue;
        int told = numbers_in(work, value);
        if (told < 0) return FAILED;
        if (told) {
            fields->gone[i] = 1;
            continue;
        }
        PyObject *found = ask(REGISTERED, value); /* a tuple, or None where there is more */
        if (!found) return FAILED;
        if (found != Py_None) {
            fields->gone[i] = 1;
            for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(found); k++)
                if (once(&work->list, Py_NewRef(PyTuple_GET_ITEM(found, k))) < 0) {
                    Py_DECREF(found);
                    return FAILED;
                }
        }
        Py_DECREF(found);
    }
    return DONE;
}

/* The ISSN in a value that has nothing else, and perhaps words behind them: 1 where they were taken into the list, 0
   where it takes the twin, -1 on an error. */
static int issn_in(Work *work, PyObject *value)
{
    if (!PyUnicode_IS_ASCII(value)) return 0;
    const char *data = PyUnicode_DATA(value);
    Py_ssize_t size = LENGTH(value), at = 0;
    struct { Py_ssize_t at; int dash; } issn[8];
    int many = 0;
    while (at < size && is_digit(data[at])) {
        Py_ssize_t begin = at;
        for (int i = 0; i < 4; i++, at++)
            if (at == size || !is_digit(data[at])) return 0;
        int dash = at < size && data[at] == '-';
        at += dash;
        for (int i = 0; i < 4; i++, at++)
            if (at == size || !(is_digit(data[at]) || (i == 3 && (data[at] | 32) == 'x'))) return 0;
        if (many == 8 || (at < size && data[at] != ' ' && data[at] != ',' && data[at] != '\n')) return 0;
        issn[many].at = begin;
        issn[many++].dash = dash;
        while (at < size && (data[at] == ' ' || data[at] == ',' || data[at] == '\n')) at++;
    }
    if (!many && size) return 0;
    for (Py_ssize_t i = at; i < size; i++)
        if (is_digit(data[i])) return 0;
    for (int i = 0; i < many; i++) {
        const char *from = data + issn[i].at;
        if (size == 9 && issn[i].dash && from[8] != 'x') {
            if (once(&work->list, Py_NewRef(value)) < 0) return -1;
            continue;
        }
        char plain[10];
        memcpy(plain, from, 4);
        plain[4] = '-';
        memcpy(plain + 5, from + 4 + issn[i].dash, 4);
        if (plain[8] == 'x') plain[8] = 'X';
        if (once(&work->list, PyUnicode_FromStringAndSize(plain, 9)) < 0) return -1;
    }
    return 1;
}

int serials(Work *work, Fields *fields, Group **groups, int many, PyObject *name)
{
    Py_ssize_t count = 0;
    int plain = 1;
    for (int g = 0; g < many; g++)
        if (groups[g]) EACH(i, groups[g])
            {
                count++;
                if (plain == 1 && (plain = issn_in(work, fields->value[i])) < 0) return FAILED;
            }
    if (!count) return DONE;
    if (plain) return (work->slot[R_ISSN] = as_tuple(&work->list)) ? DONE : FAILED;
    drop(&work->list);
    PyObject *values = PyTuple_New(count), *answer;
    if (!values) return FAILED;
    Py_ssize_t at = 0;
    for (int g = 0; g < many; g++)
        if (groups[g]) EACH(i, groups[g]) PyTuple_SET_ITEM(values, at++, Py_NewRef(fields->value[i]));
    answer = ask(SERIALS, values);
    Py_DECREF(values);
    if (!answer) return FAILED;
    work->slot[R_ISSN] = Py_NewRef(PyTuple_GET_ITEM(answer, 0));
    work->slot[R_ISBN] = Py_NewRef(PyTuple_GET_ITEM(answer, 1));
    PyObject *neither = PyTuple_GET_ITEM(answer, 2);
    int bad = 0;
    for (Py_ssize_t i = 0; !bad && i < PyList_GET_SIZE(neither); i++)
        bad = put_other(work, name, PyList_GET_ITEM(neither, i)) < 0;
    Py_DECREF(answer);
    return bad ? FAILED : DONE;
}

static int numbers(Work *work, Fields *fields, PyObject **number, PyObject **own)
{
    int told = single(work, fields, TAG('A', 'N'), TAG('A', 'N'), number);
    if (!told) told = single(work, fields, TAG('I', 'D'), TAG('I', 'D'), own);
    if (told) return told < 0 ? FAILED : JUDGE;
    if (*number && once(&work->list, Py_NewRef(*number)) < 0) return FAILED;
    if (registered(work, fields) < 0) return FAILED;
    static const int tags[] = {TAG('U', '2'), TAG('U', 'I')};
    for (int t = 0; t < 2; t++) {
        Group *group = pop(fields, tags[t]);
        if (group) EACH(i, group) if (once(&work->list, Py_NewRef(fields->value[i])) < 0) return FAILED;
    }
    if (work->list.count && !(work->slot[R_ACCESSION] = as_tuple(&work->list))) return FAILED;
    Group *group = pop(fields, TAG('S', 'N'));
    return serials(work, fields, &group, 1, name_of(TAG('S', 'N')));
}

static int urls_of(Work *work, Fields *fields)
{
    static const int tags[] = {TAG('U', 'R'), TAG('L', 'K'), TAG('L', '2')};
    for (int t = 0; t < 3; t++) {
        Group *group = pop(fields, tags[t]);
        if (!group) continue;
        EACH(i, group)
        {
            PyObject *value = fields->value[i];
            if (!has_char(value, ';') && !has_char(value, '\n')) {
                if (once(&work->list, Py_NewRef(value)) < 0) return FAILED;
                continue;
            }
            PyObject *links = ask(APART, value);
            if (!links) return FAILED;
            for (Py_ssize_t k = 0; k < PyList_GET_SIZE(links); k++)
                if (once(&work->list, Py_NewRef(PyList_GET_ITEM(links, k))) < 0) {
                    Py_DECREF(links);
                    return FAILED;
                }
            Py_DECREF(links);
        }
    }
    if (work->list.count && !(work->slot[R_URLS] = as_tuple(&work->list))) return FAILED;
    return DONE;
}

static int types_of(Work *work, Fields *fields)
{
    static const int tags[] = {TAG('M', '3'), TAG('P', 'T')};
    for (int t = 0; t < 2; t++) {
        Group *group = pop(fields, tags[t]);
        if (group) EACH(i, group) if (once(&work->list, Py_NewRef(fields->value[i])) < 0) return FAILED;
    }
    if (work->list.count && !(work->slot[R_TYPES] = as_tuple(&work->list))) return FAILED;
    return DONE;
}

int told_in_notes(Work *work)
{
    PyObject **notes = &work->slot[R_NOTES];
    if (!*notes) return DONE;
    int any = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(*notes) && !any; i++) {
        PyObject *note = PyTuple_GET_ITEM(*notes, i);
        any = holds(note, "balm_") || holds(note, "ASReview_") || holds(note, "RAYYAN-INCLUSION");
    }
    if (!any) return DONE;
    PyObject *answer = ask(DECISIONS, *notes);
    if (!answer) return FAILED;
    work->slot[R_DECISION] = Py_NewRef(PyTuple_GET_ITEM(answer, 0));
    work->slot[R_VOTES] = Py_NewRef(PyTuple_GET_ITEM(answer, 1));
    Py_SETREF(*notes, Py_NewRef(PyTuple_GET_ITEM(answer, 2)));
    Py_DECREF(answer);
    if (!(answer = ask(TYPE_IN_NOTES, *notes))) return FAILED;
    if (PyTuple_GET_ITEM(answer, 0) != Py_None) work->slot[R_TYPE] = Py_NewRef(PyTuple_GET_ITEM(answer, 0));
    Py_SETREF(*notes, Py_NewRef(PyTuple_GET_ITEM(answer, 1)));
    Py_DECREF(answer);
    return DONE;
}

static int kind_of(Work *work, PyObject *code)
{
    PyObject *given[3] = {code, work->slot[R_TYPES] ? work->slot[R_TYPES] : no_tuple,
                          work->slot[R_TYPE] ? work->slot[R_TYPE] : Py_None};
    PyObject *answer = PyObject_Vectorcall(twin[KIND], given, 3, NULL); /* (kind, whether to keep the code) */
    if (!answer) return FAILED;
    Py_XSETREF(work->slot[R_TYPE], Py_NewRef(PyTuple_GET_ITEM(answer, 0)));
    int keep = PyTuple_GET_ITEM(answer, 1) == Py_True;
    Py_DECREF(answer);
    if (!keep) return DONE;
    PyObject *name = name_of(TAG('T', 'Y')), *pair = name ? PyTuple_Pack(2, name, code) : NULL;
    if (pair) PyObject_GC_UnTrack(pair);
    int bad = !pair || (!work->other && !(work->other = PyList_New(0))) || PyList_Insert(work->other, 0, pair) < 0;
    Py_XDECREF(pair);
    return bad ? FAILED : DONE;
}

/* Volume, issue and whatever else is one value. */
static int singles(Work *work, Fields *fields, int last)
{
    static const struct { int tag, slot, second; } rows[] = {
        {TAG('V', 'L'), R_VOLUME, TAG('V', 'O')}, {TAG('I', 'S'), R_ISSUE, TAG('C', 'P')}, /* before the type */
        {TAG('L', 'A'), R_LANGUAGE, -1},          {TAG('P', 'B'), R_PUBLISHER, -1},
        {TAG('C', 'Y'), R_PLACE, TAG('P', 'P')},  {TAG('T', 'T'), R_ORIGINAL, -1},
        {TAG('D', 'B'), R_DATABASE, -1},
    };
    for (int r = last ? 2 : 0; r < (last ? 7 : 2); r++) {
        int told = single(work, fields, rows[r].tag, rows[r].tag, &work->slot[rows[r].slot]);
        if (!told && rows[r].second >= 0 && !work->slot[rows[r].slot])
            told = single(work, fields, rows[r].second, rows[r].second, &work->slot[rows[r].slot]);
        if (told) return told < 0 ? FAILED : JUDGE;
    }
    return DONE;
}

static int affiliations_of(Work *work, Fields *fields)
{
    Group *group = pop(fields, TAG('A', 'D'));
    if (!group) return DONE;
    EACH(i, group)
    {
        PyObject *value = fields->value[i];
        if ((has_char(value, '\n') ? parts_once(&work->list, value, '\n', '\n') : once(&work->list, Py_NewRef(value))) < 0)
            return FAILED;
    }
    return (work->slot[R_AFFILIATIONS] = as_tuple(&work->list)) ? DONE : FAILED;
}

/* A tag under another name, where that one is not there; it stands behind the others then. */
static void renamed(Fields *fields, int from, int to)
{
    if (IS_THERE(from) && !IS_THERE(to)) {
        fields->at[to] = fields->at[from];
        fields->at[from] = 0;
    }
}

static int leftovers(Work *work, Fields *fields)
{
    for (int g = 0; g < fields->groups; g++) {
        Group *group = &fields->group[g];
        if (group->code != FOREIGN && fields->at[group->code] != g + 1) continue;
        EACH(i, group)
        {
            if (!LENGTH(fields->value[i])) continue;
            PyObject *name = group->code == FOREIGN ? group->name : name_of(group->code);
            if (put_other(work, name, fields->value[i]) < 0) return FAILED;
        }
    }
    return DONE;
}

static int holds_nothing(const Work *work, PyObject *own)
{
    static const int some[] = {R_TITLE, R_AUTHORS, R_ABSTRACT, R_DOI, R_PMID, R_JOURNAL, R_YEAR, R_NOTES, R_URLS, R_ACCESSION};
    if (own || (work->other && PyList_GET_SIZE(work->other))) return 0;
    for (size_t s = 0; s < sizeof some / sizeof *some; s++) {
        PyObject *held = work->slot[some[s]];
        if (held && !(PyTuple_Check(held) && !PyTuple_GET_SIZE(held))) return 0;
    }
    return 1;
}

/* Tells `tally` of repairs and of the record, and gives it its id, file and place. */
int told_to(PyObject *tally, Work *work, PyObject *name, PyObject *own, Py_ssize_t start, Py_ssize_t end)
{
    PyObject *first = PyLong_FromSsize_t(start), *last = PyLong_FromSsize_t(end), *seen = NULL, *read = NULL;
    PyObject *line = start ? first : Py_None, *rejected = NULL;
    int done = FAILED;
    if (!first || !last) goto end;
    if (work->repairs && PyList_GET_SIZE(work->repairs)) {
        Py_ssize_t many = PyList_GET_SIZE(work->repairs);
        if (many > 1 && !(seen = PySet_New(NULL))) goto end;
        for (Py_ssize_t i = 0; i < many; i++) {
            PyObject *why = PyList_GET_ITEM(work->repairs, i);
            int known = seen ? PySet_Contains(seen, why) : 0;
            if (known < 0 || (seen && !known && PySet_Add(seen, why) < 0)) goto end;
            if (known) continue;
            PyObject *nothing = PyObject_CallMethodObjArgs(tally, word_repair, line, why, NULL);
            if (!nothing) goto end;
            Py_DECREF(nothing);
        }
    }
    if (!(work->slot[R_ID] = PyObject_CallMethodObjArgs(tally, word_name, name ? name : Py_None, first, NULL))) goto end;
    if (!PyUnicode_Check(work->slot[R_ID])) {
        PyErr_SetString(PyExc_TypeError, "an id is a text");
        goto end;
    }
    if (own && !same(own, work->slot[R_ID]) && put_other(work, name_of(TAG('I', 'D')), own) < 0) goto end;
    if (!(work->slot[R_FILE] = PyObject_GetAttr(tally, word_file))) goto end;
    if (!(read = PyObject_GetAttr(tally, word_read)) || !(rejected = PyObject_GetAttr(tally, word_rejected))) goto end;
    Py_ssize_t count = PyLong_AsSsize_t(read), refused = PyLong_AsSsize_t(rejected);
    if (PyErr_Occurred() || !(work->slot[R_ORDINAL] = PyLong_FromSsize_t(count + refused + 1))) goto end;
    if (!(work->slot[R_LINES] = PyTuple_Pack(2, first, last))) goto end;
    PyObject_GC_UnTrack(work->slot[R_LINES]);
    Py_SETREF(read, PyLong_FromSsize_t(count + 1));
    if (!read || PyObject_SetAttr(tally, word_read, read) < 0) goto end;
    done = DONE;
end:
    Py_XDECREF(first);
    Py_XDECREF(last);
    Py_XDECREF(seen);
    Py_XDECREF(read);
    Py_XDECREF(rejected);
    return done;
}

static const unsigned char is_tuple[SLOTS] = {
    [R_AUTHORS] = 1, [R_EDITORS] = 1, [R_ACCESSION] = 1, [R_ISSN] = 1,  [R_ISBN] = 1,  [R_KEYWORDS] = 1, [R_URLS] = 1,
    [R_TYPES] = 1,   [R_AFFILIATIONS] = 1, [R_NOTES] = 1, [R_VOTES] = 1, [R_OTHER] = 1,
};

/* A record is of texts, numbers and tuples of them, none of which can lead back to it: the collector of cycles, which
   would walk through all that a list of records holds, has nothing to look for in them. */
PyObject *filled(Work *work)
{
    PyObject *record = PyType_GenericAlloc(record_class, 0);
    if (!record) return NULL;
    PyObject_GC_UnTrack(record);
    for (int s = 0; s < SLOTS; s++) {
        PyObject *value = work->slot[s];
        if (value && is_tuple[s] && s != R_VOTES) PyObject_GC_UnTrack(value);
        *(PyObject **)((char *)record + offset[s]) = value ? value : Py_NewRef(is_tuple[s] ? no_tuple : Py_None);
        work->slot[s] = NULL;
    }
    return record;
}

void given_up(Work *work)
{
    for (int s = 0; s < SLOTS; s++) Py_CLEAR(work->slot[s]);
    Py_CLEAR(work->other);
    Py_CLEAR(work->repairs);
    drop(&work->list);
    PyMem_Free(work->list.item);
}

#define STEP(call)                                                                                                     \
    do {                                                                                                               \
        if ((told = (call)) <= 0) goto end;                                                                            \
    } while (0)

int build(Fields *fields, PyObject *tally, Py_ssize_t start, Py_ssize_t end, PyObject **record)
{
    Work work = {0};
    PyObject *number = NULL, *own = NULL, *code = empty;
    int told = FAILED;
    if (!record_class) {
        PyErr_SetString(PyExc_RuntimeError, "record_parts() comes first");
        return FAILED;
    }
    Group *first = pop(fields, TAG('T', 'Y'));
    if (first) code = fields->value[first->head];
    STEP(untangled(&work, fields));
    if (notes_of(&work, fields) < 0) goto end;
    STEP(dois(&work, fields));
    STEP(other_identifiers(&work, fields));
    STEP(title_of(&work, fields));
    STEP(people(&work, fields, code));
    STEP(when(&work, fields));
    STEP(journals(&work, fields, code));
    STEP(pages_of(&work, fields));
    STEP(abstract_of(&work, fields));
    STEP(keywords_of(&work, fields));
    STEP(numbers(&work, fields, &number, &own));
    STEP(urls_of(&work, fields));
    STEP(types_of(&work, fields));
    STEP(singles(&work, fields, 0));
    STEP(told_in_notes(&work));
    STEP(kind_of(&work, code));
    renamed(fields, TAG('P', 'U'), TAG('P', 'B'));
    renamed(fields, TAG('P', 'I'), TAG('C', 'Y'));
    STEP(singles(&work, fields, 1));
    STEP(affiliations_of(&work, fields));
    STEP(leftovers(&work, fields));
    if (holds_nothing(&work, own)) {
        told = JUDGE;
        goto end;
    }
    STEP(told_to(tally, &work, own ? own : number, own, start, end));
    told = FAILED;
    if (work.other && !(work.slot[R_OTHER] = PyList_AsTuple(work.other))) goto end;
    if (!(*record = filled(&work))) goto end;
    told = DONE;
end:
    given_up(&work);
    Py_XDECREF(number);
    Py_XDECREF(own);
    return told;
}

PyObject *record_parts(PyObject *self, PyObject *const *given, Py_ssize_t many)
{
    if (many != 2 || !PyType_Check(given[0]) || !PyTuple_Check(given[1]) || PyTuple_GET_SIZE(given[1]) != CALLABLES) {
        PyErr_SetString(PyExc_TypeError, "record_parts(class, callables)");
        return NULL;
    }
    PyTypeObject *made = (PyTypeObject *)given[0];
    PyObject *names = PyObject_GetAttrString(given[0], "__match_args__");
    if (!names) return NULL;
    Py_ssize_t places[SLOTS];
    int fits = PyTuple_Check(names) && PyTuple_GET_SIZE(names) == SLOTS && !made->tp_itemsize && !made->tp_dictoffset;
    for (int s = 0; fits && s < SLOTS; s++) {
        PyObject *name = PyTuple_GET_ITEM(names, s), *slot = PyUnicode_Check(name) ? PyObject_GetAttr(given[0], name) : NULL;
        fits = slot && !PyUnicode_CompareWithASCIIString(name, NAMES[s]) && Py_IS_TYPE(slot, &PyMemberDescr_Type);
        if (fits) {
            PyMemberDef *member = ((PyMemberDescrObject *)slot)->d_member;
            fits = member->type == T_OBJECT_EX && member->offset > 0 &&
                   member->offset + (Py_ssize_t)sizeof(PyObject *) <= made->tp_basicsize;
            places[s] = member->offset;
        }
        Py_XDECREF(slot);
    }
    Py_DECREF(names);
    if (!fits) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "the class of records has other fields");
        return NULL;
    }
    memcpy(offset, places, sizeof offset);
    if (!empty) {
        empty = PyUnicode_InternFromString("");
        blank = PyUnicode_InternFromString(" ");
        line_feed = PyUnicode_InternFromString("\n");
        no_tuple = PyTuple_New(0);
        word_name = PyUnicode_InternFromString("name");
        word_repair = PyUnicode_InternFromString("repair");
        word_file = PyUnicode_InternFromString("file");
        word_read = PyUnicode_InternFromString("read");
        word_rejected = PyUnicode_InternFromString("rejected");
        if (!empty || !blank || !line_feed || !no_tuple || !word_name || !word_repair || !word_file || !word_read || !word_rejected)
            return NULL;
    }
    for (int c = 0; c < CALLABLES; c++) Py_XSETREF(twin[c], Py_NewRef(PyTuple_GET_ITEM(given[1], c)));
    Py_XSETREF(record_class, (PyTypeObject *)Py_NewRef(given[0]));
    Py_RETURN_NONE;
}
