/* One record of PubMed's own format at once: `_piece` and `_build` of medline.py, step by step, with the same result.

   Takes a record of tags at their place and indented lines, up to the head of the next one. Everything else, the last
   record of a file among it, is handed back as None and read in Python; the tests compare the two. */

#include "work.h"

/* The tags that have a field of the model, in the order of TAGS. */
enum {
    M_LID, M_AID, M_DO, M_PMID, M_ID, M_TI, M_BTI, M_CTI, M_TT, M_FAU, M_AU, M_CN, M_FED, M_ED, M_DP, M_PDAT, M_JT,
    M_TA, M_PMC, M_IS, M_ISSN, M_ISBN, M_AB, M_MH, M_OT, M_PT, M_GN, M_SI, M_OID, M_VI, M_IP, M_PG, M_LA, M_URL, M_PB,
    M_PL, M_AD, M_DB, FIELDS
};
static const char *const TAGS[FIELDS] = {
    "LID ", "AID ", "DO  ", "PMID", "ID  ", "TI  ", "BTI ", "CTI ", "TT  ", "FAU ", "AU  ", "CN  ", "FED ", "ED  ",
    "DP  ", "PDAT", "JT  ", "TA  ", "PMC ", "IS  ", "ISSN", "ISBN", "AB  ", "MH  ", "OT  ", "PT  ", "GN  ", "SI  ",
    "OID ", "VI  ", "IP  ", "PG  ", "LA  ", "URL ", "PB  ", "PL  ", "AD  ", "DB  ",
};

/* Every tag met so far; those without a field are FOREIGN. */
enum { PLACES = 2048, MOST_TAGS = 1024 };
typedef struct {
    char text[4];
    int code;
    PyObject *name; /* without blanks; NULL for a free place */
} Tag;
static Tag known[PLACES];
static int known_tags;
static PyObject *kind_of_types;

/* The place of a tag; -1 for too many of them, -2 on an error. */
static int tag_at(const char *text)
{
    unsigned int key;
    memcpy(&key, text, 4);
    unsigned int at = (key * 2654435761U) >> 21;
    for (; known[at].name; at = (at + 1) % PLACES)
        if (!memcmp(known[at].text, text, 4)) return (int)at;
    if (known_tags == MOST_TAGS) return -1;
    int size = 4;
    while (text[size - 1] == ' ') size--;
    PyObject *name = PyUnicode_FromStringAndSize(text, size);
    if (!name) return -2;
    PyUnicode_InternInPlace(&name);
    memcpy(known[at].text, text, 4);
    known[at].code = FOREIGN;
    for (int t = 0; t < FIELDS; t++)
        if (!memcmp(TAGS[t], text, 4)) known[at].code = t;
    known[at].name = name;
    known_tags++;
    return (int)at;
}

static PyObject *name_of(int code)
{
    int at = tag_at(TAGS[code]);
    return at < 0 ? NULL : known[at].name;
}

static int is_letter(char c) { return c >= 'A' && c <= 'Z'; }
static int is_sign(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

/* Whether a line of `size` bytes begins with a tag at its place. */
static int is_field(const char *line, Py_ssize_t size)
{
    return size >= 6 && line[4] == '-' && line[5] == ' ' && is_letter(line[0]) && is_sign(line[1]) &&
           ((is_sign(line[2]) && (is_sign(line[3]) || line[3] == ' ')) || (line[2] == ' ' && line[3] == ' '));
}

static int starts(const char *line, Py_ssize_t size, const char *head)
{
    return size >= 6 && !memcmp(line, head, 6);
}

typedef struct {
    int tag; /* its place among those known */
    Py_ssize_t begin, end;
    int wrapped;
} Value;

/* The values of the record behind the line end data[at], up to the line end data[*over] before the next record. Returns
   how many; 0 where there is none to take, -1 on an error. */
static int values_of(const char *data, Py_ssize_t size, Py_ssize_t at, Value *values, Py_ssize_t *over, Py_ssize_t *lines)
{
    int count = 0, own = 0, blank = 0;
    Py_ssize_t number = 0;
    if (at >= size || data[at] != '\n') return 0;
    at++;
    for (;; number++) {
        const char *line = data + at, *found = at < size ? memchr(line, '\n', (size_t)(size - at)) : NULL;
        if (!found) return 0;
        Py_ssize_t length = found - line;
        int head = starts(line, length, "PMID- ");
        if (!head && blank && starts(line, length, "PMC - ")) { /* PubMed Central writes it above, behind a blank line */
            if (size - at - length < 8) return 0;
            if (!starts(found + 1, size - at - length - 1, "PMID- ")) return 0;
            head = 1;
        }
        if (head && own) {
            *over = at - 1;
            *lines = number;
            return count;
        }
        if (head)
            own = 1;
        else if (!own && (count || !starts(line, length, "PMC - ")))
            return 0; /* a head is PMID alone, or PMC and PMID */
        if (!length)
            blank = 1;
        else if (blank)
            return 0;
        else if (length >= 6 && !memcmp(line, "      ", 6)) {
            if (!count) return 0;
            values[count - 1].end = at + length;
            values[count - 1].wrapped = 1;
        } else {
            if (!is_field(line, length) || count == MOST - 1) return 0;
            Value *value = &values[count++];
            value->tag = tag_at(line);
            if (value->tag < 0) return value->tag == -1 ? 0 : -1;
            value->begin = at + 6;
            value->end = at + length;
            value->wrapped = 0;
        }
        at += length + 1;
    }
}

/* Whether there is a separator of lines among the letters: what it stands for takes judgement. */
static int has_separator(const char *data, Py_ssize_t begin, Py_ssize_t end)
{
    while (begin + 2 < end) {
        const char *found = memchr(data + begin, 0xe2, (size_t)(end - begin - 2));
        if (!found) return 0;
        if ((unsigned char)found[1] == 0x80 && (unsigned char)found[2] == 0xa8) return 1;
        begin = found - data + 1;
    }
    return 0;
}

/* The text of a value: its lines with a blank between. */
static PyObject *text_in(const char *data, const Value *value, Buffer *joined)
{
    Py_ssize_t begin = value->begin, end = value->end;
    if (value->wrapped) {
        joined->length = 0;
        for (Py_ssize_t at = begin; at <= end;) {
            const char *found = at < end ? memchr(data + at, '\n', (size_t)(end - at)) : NULL;
            Py_ssize_t first = at, last = found ? found - data : end, next = last + 1;
            if (at > begin) {
                first += 6;
                trim(data, &first, &last);
                if (put_bytes(joined, " ", 1) < 0) return NULL;
            }
            if (put_bytes(joined, data + first, last - first) < 0) return NULL;
            at = next;
        }
        data = joined->data;
        begin = 0;
        end = joined->length;
    }
    trim(data, &begin, &end);
    return text_of(data, begin, end);
}

/* The first of the values of a tag that is not empty, a new reference or NULL for none; others are kept. -1 on an error. */
static int one(Work *work, Fields *fields, int code, PyObject **into)
{
    Group *group = pop(fields, code);
    if (!group) return 0;
    PyObject *first = NULL;
    EACH(i, group)
    {
        PyObject *value = fields->value[i];
        if (!LENGTH(value)) continue;
        if (!first)
            first = value;
        else if (!same(value, first) && once(&work->list, Py_NewRef(value)) < 0)
            return -1;
    }
    for (Py_ssize_t i = 0; i < work->list.count; i++)
        if (put_other(work, name_of(code), work->list.item[i]) < 0) return -1;
    drop(&work->list);
    *into = Py_XNewRef(first);
    return 0;
}

/* The values of a tag that are not empty, as they come; NULL on an error. */
static PyObject *texts(Fields *fields, int code)
{
    Group *group = pop(fields, code);
    Py_ssize_t many = 0;
    if (group) EACH(i, group) many += LENGTH(fields->value[i]) > 0;
    PyObject *tuple = PyTuple_New(many);
    many = 0;
    if (group && tuple)
        EACH(i, group)
            if (LENGTH(fields->value[i])) PyTuple_SET_ITEM(tuple, many++, Py_NewRef(fields->value[i]));
    return tuple;
}

/* Each value of two tags once; `second` may be -1. */
static int each_once(Work *work, Fields *fields, int slot, int first, int second)
{
    Group *groups[2] = {pop(fields, first), second < 0 ? NULL : pop(fields, second)};
    if (!groups[0] && !groups[1]) return 0;
    for (int g = 0; g < 2; g++)
        if (groups[g]) EACH(i, groups[g]) if (once(&work->list, Py_NewRef(fields->value[i])) < 0) return -1;
    return (work->slot[slot] = as_tuple(&work->list)) ? 0 : -1;
}

/* The DOI of a value that says it holds one: 1 with `*found` or NULL, 0 where it does not say so, -1 on an error. */
static int doi_of(PyObject *value, int code, PyObject **found)
{
    Py_ssize_t size = LENGTH(value), begin = 0;
    int marked = size >= 5 && CHAR(value, size - 1) == ']' && CHAR(value, size - 2) == 'i' && CHAR(value, size - 3) == 'o' &&
                 CHAR(value, size - 4) == 'd' && CHAR(value, size - 5) == '[';
    *found = NULL;
    if (!marked && code != M_DO && !holds(value, "doi.org/")) return 0;
    PyObject *bare = NULL;
    if (marked) size -= 5;
    if (marked) bare = stripped_part(value, begin, size);
    else bare = Py_NewRef(value);
    if (bare && holds(bare, "[doi]")) {
        PyObject *mark = PyUnicode_FromString("[doi]"), *none = PyUnicode_New(0, 0);
        Py_SETREF(bare, mark && none ? PyUnicode_Replace(bare, mark, none, -1) : NULL);
        Py_XDECREF(mark);
        Py_XDECREF(none);
    }
    int told = bare ? doi_in(bare, found) : -1;
    Py_XDECREF(bare);
    return told < 0 ? -1 : 1;
}

static int doi_and_others(Work *work, Fields *fields)
{
    static const int codes[] = {M_LID, M_AID, M_DO};
    PyObject **doi = &work->slot[R_DOI], *found;
    for (int t = 0; t < 3; t++) {
        Group *group = get(fields, codes[t]);
        if (!group) continue;
        EACH(i, group)
        {
            int told = doi_of(fields->value[i], codes[t], &found);
            if (told < 0) return -1;
            if (!found) continue;
            if (!*doi) {
                *doi = found;
                fields->gone[i] = 1;
                continue;
            }
            fields->gone[i] = same(found, *doi);
            Py_DECREF(found);
        }
    }
    return 0;
}

static int is_number(PyObject *s)
{
    for (Py_ssize_t i = 0; i < LENGTH(s); i++)
        if (!Py_UNICODE_ISDIGIT(CHAR(s, i))) return 0;
    return LENGTH(s) > 0;
}

static int people(Work *work, Fields *fields)
{
    PyObject *full = texts(fields, M_FAU), *brief = full ? texts(fields, M_AU) : NULL;
    if (!brief) {
        Py_XDECREF(full);
        return -1;
    }
    int fuller = PyTuple_GET_SIZE(full) >= PyTuple_GET_SIZE(brief);
    PyObject *authors = fuller ? full : brief;
    Py_DECREF(fuller ? brief : full);
    Group *groups = pop(fields, M_CN);
    work->slot[R_AUTHORS] = authors;
    if (groups) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(authors); i++)
            if (once(&work->list, Py_NewRef(PyTuple_GET_ITEM(authors, i))) < 0) return -1;
        EACH(i, groups) if (once(&work->list, Py_NewRef(fields->value[i])) < 0) return -1;
        Py_SETREF(work->slot[R_AUTHORS], as_tuple(&work->list));
        if (!work->slot[R_AUTHORS]) return -1;
    }
    if (!IS_THERE(M_FED) && !IS_THERE(M_ED)) return 0;
    if (!(work->slot[R_EDITORS] = texts(fields, M_FED))) return -1;
    if (PyTuple_GET_SIZE(work->slot[R_EDITORS])) return 0;
    Py_SETREF(work->slot[R_EDITORS], texts(fields, M_ED));
    return work->slot[R_EDITORS] ? 0 : -1;
}

static int when(Work *work, Fields *fields)
{
    PyObject *published = NULL, **date = &work->slot[R_DATE];
    if (one(work, fields, M_DP, &published) < 0) return -1;
    int year = published ? year_in(published) : 0, bad = 0;
    if (year && !(work->slot[R_YEAR] = PyLong_FromLong(year))) bad = -1;
    if (!bad) bad = one(work, fields, M_PDAT, date);
    if (!bad && !*date && published) {
        char digits[16];
        snprintf(digits, sizeof digits, "%d", year);
        if (PyUnicode_CompareWithASCIIString(published, year ? digits : "None")) *date = Py_NewRef(published);
    }
    Py_XDECREF(published);
    return bad;
}

static int abstract_of(Work *work, Fields *fields)
{
    Group *group = pop(fields, M_AB);
    if (!group) return 0;
    PyObject *text = NULL;
    if (group->size == 1)
        text = Py_NewRef(fields->value[group->head]);
    else {
        PyObject *list = PyList_New(0);
        int bad = !list;
        EACH(i, group) if (!bad) bad = PyList_Append(list, fields->value[i]) < 0;
        if (!bad) text = PyUnicode_Join(line_feed, list);
        Py_XDECREF(list);
    }
    if (text && has_lines(text)) Py_SETREF(text, paragraphs(text));
    if (!text) return -1;
    if (LENGTH(text))
        work->slot[R_ABSTRACT] = text;
    else
        Py_DECREF(text);
    return 0;
}

static int holds_nothing(const Work *work, PyObject *own)
{
    static const int some[] = {R_PMID, R_TITLE, R_AUTHORS, R_ABSTRACT, R_DOI, R_JOURNAL};
    if (own || (work->other && PyList_GET_SIZE(work->other))) return 0;
    for (size_t s = 0; s < sizeof some / sizeof *some; s++) {
        PyObject *held = work->slot[some[s]];
        if (held && !(PyTuple_Check(held) && !PyTuple_GET_SIZE(held))) return 0;
    }
    return 1;
}

static int leftovers(Work *work, Fields *fields)
{
    for (int g = 0; g < fields->groups; g++) {
        Group *group = &fields->group[g];
        if (group->code != FOREIGN && fields->at[group->code] != g + 1) continue;
        EACH(i, group)
        {
            if (!LENGTH(fields->value[i])) continue;
            if (put_other(work, group->code == FOREIGN ? group->name : name_of(group->code), fields->value[i]) < 0) return -1;
        }
    }
    return 0;
}

#define STEP(call)                                                                                                     \
    do {                                                                                                               \
        if ((call) < 0) goto end;                                                                                      \
    } while (0)

/* DONE with `record` set, or JUDGE with nothing told, or FAILED. */
static int made(Fields *fields, PyObject *tally, Py_ssize_t start, Py_ssize_t end, PyObject **record)
{
    Work work = {0};
    PyObject *own = NULL, *book = NULL, *pmc = NULL, **slot = work.slot;
    int told = FAILED;
    STEP(doi_and_others(&work, fields));
    STEP(one(&work, fields, M_PMID, &slot[R_PMID]));
    if (slot[R_PMID] && !is_number(slot[R_PMID])) {
        STEP(put_other(&work, name_of(M_PMID), slot[R_PMID]));
        Py_CLEAR(slot[R_PMID]);
    }
    STEP(one(&work, fields, M_ID, &own));
    STEP(one(&work, fields, M_TI, &slot[R_TITLE]));
    STEP(one(&work, fields, M_BTI, &book));
    int chapter = slot[R_TITLE] && book;
    if (!slot[R_TITLE]) {
        slot[R_TITLE] = book;
        book = NULL;
        if (!slot[R_TITLE]) STEP(one(&work, fields, M_CTI, &slot[R_TITLE]));
    }
    STEP(one(&work, fields, M_TT, &slot[R_ORIGINAL]));
    STEP(people(&work, fields));
    STEP(when(&work, fields));
    STEP(one(&work, fields, M_JT, &slot[R_JOURNAL]));
    STEP(one(&work, fields, M_TA, &slot[R_SHORT]));
    if (!slot[R_JOURNAL]) {
        slot[R_JOURNAL] = slot[R_SHORT] ? slot[R_SHORT] : Py_XNewRef(book);
        slot[R_SHORT] = NULL;
    } else if (slot[R_SHORT] && same(slot[R_SHORT], slot[R_JOURNAL]))
        Py_CLEAR(slot[R_SHORT]);
    STEP(one(&work, fields, M_PMC, &pmc));
    Group *numbers[3] = {pop(fields, M_IS), pop(fields, M_ISSN), pop(fields, M_ISBN)};
    STEP(serials(&work, fields, numbers, 3, name_of(M_IS)));
    STEP(abstract_of(&work, fields));
    STEP(each_once(&work, fields, R_KEYWORDS, M_MH, M_OT));
    STEP(each_once(&work, fields, R_TYPES, M_PT, -1));
    if (IS_THERE(M_GN)) {
        if (!(slot[R_NOTES] = texts(fields, M_GN))) goto end;
        STEP(told_in_notes(&work));
    }
    STEP(each_once(&work, fields, R_ACCESSION, M_SI, M_OID));
    STEP(one(&work, fields, M_VI, &slot[R_VOLUME]));
    STEP(one(&work, fields, M_IP, &slot[R_ISSUE]));
    STEP(one(&work, fields, M_PG, &slot[R_PAGES]));
    STEP(one(&work, fields, M_LA, &slot[R_LANGUAGE]));
    if (IS_THERE(M_URL) && !(slot[R_URLS] = texts(fields, M_URL))) goto end;
    STEP(one(&work, fields, M_PB, &slot[R_PUBLISHER]));
    STEP(one(&work, fields, M_PL, &slot[R_PLACE]));
    STEP(each_once(&work, fields, R_AFFILIATIONS, M_AD, -1));
    STEP(one(&work, fields, M_DB, &slot[R_DATABASE]));
    STEP(leftovers(&work, fields));
    if (holds_nothing(&work, own)) {
        told = JUDGE;
        goto end;
    }
    if (!slot[R_TYPE]) {
        if (chapter)
            slot[R_TYPE] = PyUnicode_InternFromString("chapter");
        else {
            PyObject *types = slot[R_TYPES] ? Py_NewRef(slot[R_TYPES]) : PyTuple_New(0);
            slot[R_TYPE] = types ? PyObject_CallOneArg(kind_of_types, types) : NULL;
            Py_XDECREF(types);
        }
        if (!slot[R_TYPE]) goto end;
    }
    if (pmc) {
        PyObject *found = pmcid_in(pmc);
        if (!found) goto end;
        if (found != Py_None)
            slot[R_PMCID] = found;
        else
            Py_DECREF(found);
    }
    PyObject *name = own ? own : slot[R_PMID];
    if (!name && slot[R_ACCESSION] && PyTuple_GET_SIZE(slot[R_ACCESSION])) name = PyTuple_GET_ITEM(slot[R_ACCESSION], 0);
    if (told_to(tally, &work, name, NULL, start, end) <= 0) goto end;
    if (work.other && !(slot[R_OTHER] = PyList_AsTuple(work.other))) goto end;
    if (!(*record = filled(&work))) goto end;
    told = DONE;
end:
    given_up(&work);
    Py_XDECREF(own);
    Py_XDECREF(book);
    Py_XDECREF(pmc);
    return told;
}

PyObject *medline(PyObject *self, PyObject *const *given, Py_ssize_t many)
{
    static Value values[MOST]; /* while the interpreter's lock is held */
    static Buffer joined;
    static Fields usual;
    static int busy;
    PyObject *record = NULL;
    Py_ssize_t over = 0, lines = 0;
    if (many != 4 || !PyBytes_Check(given[0])) {
        PyErr_SetString(PyExc_TypeError, "medline(data, at, tally, number)");
        return NULL;
    }
    Py_ssize_t at = PyLong_AsSsize_t(given[1]), number = PyLong_AsSsize_t(given[3]);
    if (at < 0 || number < 0) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "at and number must not be negative");
        return NULL;
    }
    if (!kind_of_types) {
        PyErr_SetString(PyExc_RuntimeError, "medline_parts() comes first");
        return NULL;
    }
    const char *data = PyBytes_AS_STRING(given[0]);
    int count = values_of(data, PyBytes_GET_SIZE(given[0]), at, values, &over, &lines);
    if (count < 0) return NULL;
    if (!count || has_separator(data, at, over)) Py_RETURN_NONE;
    /* Python runs while a record is built, and may come back here from another thread. */
    Fields *fields = busy ? PyMem_Calloc(1, sizeof *fields) : &usual;
    if (!fields) return PyErr_NoMemory();
    if (fields == &usual) busy = 1;
    int done = DONE;
    for (int i = 0; i < count && done == DONE; i++) {
        const Tag *tag = &known[values[i].tag];
        if (add(fields, tag->code, tag->code == FOREIGN ? tag->name : NULL, text_in(data, &values[i], &joined)) < 0) done = FAILED;
    }
    if (done == DONE) done = made(fields, given[2], number + 1, number + lines, &record);
    forget(fields);
    if (fields == &usual)
        busy = 0;
    else
        PyMem_Free(fields);
    if (done == FAILED) return NULL;
    if (done == JUDGE) Py_RETURN_NONE;
    return Py_BuildValue("Nnn", record, over, number + lines);
}

PyObject *medline_parts(PyObject *self, PyObject *given)
{
    if (!PyCallable_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "medline_parts(callable)");
        return NULL;
    }
    Py_XSETREF(kind_of_types, Py_NewRef(given));
    Py_RETURN_NONE;
}
