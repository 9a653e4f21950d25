/* A record under work: what the formats share when they make one of their fields (record.c, medline.c). */

#ifndef BALM_WORK_H
#define BALM_WORK_H

#include "record.h"

/* The fields of a record, in the order of the class. */
enum {
    R_ID, R_TYPE, R_TITLE, R_ORIGINAL, R_AUTHORS, R_EDITORS, R_YEAR, R_DATE, R_JOURNAL, R_SHORT,
    R_VOLUME, R_ISSUE, R_PAGES, R_DOI, R_PMID, R_PMCID, R_ACCESSION, R_ISSN, R_ISBN, R_ABSTRACT, R_KEYWORDS,
    R_LANGUAGE, R_URLS, R_TYPES, R_PUBLISHER, R_PLACE, R_AFFILIATIONS, R_NOTES, R_DATABASE, R_DECISION,
    R_VOTES, R_FILE, R_ORDINAL, R_LINES, R_OTHER, SLOTS
};
/* Callables of the Python twin, in the order of ris_whole.py. */
enum {
    FIND_DOI, FIND_PMID, FIND_PMCID, DOI_IN_NOTE, PMID_IN_NOTE, SAYS_PMID, WITHOUT_ISSN,
    NAMES_OF, NO_PAGES, REGISTERED, SERIALS, APART, DECISIONS, TYPE_IN_NOTES, KIND,
    LEFT_OUT, CALLABLES
};

extern PyObject *twin[CALLABLES], *line_feed;

#define LENGTH(s) PyUnicode_GET_LENGTH(s)
#define CHAR(s, i) PyUnicode_READ_CHAR((s), (i))
#define ONE_BYTE(s) (PyUnicode_KIND(s) == PyUnicode_1BYTE_KIND)

static inline int same(PyObject *a, PyObject *b)
{
    return a == b || (LENGTH(a) == LENGTH(b) && PyUnicode_KIND(a) == PyUnicode_KIND(b) &&
                      !memcmp(PyUnicode_DATA(a), PyUnicode_DATA(b), (size_t)(LENGTH(a) * PyUnicode_KIND(a))));
}

static inline int has_char(PyObject *s, Py_UCS4 c) { return PyUnicode_FindChar(s, c, 0, LENGTH(s), 1) >= 0; }

/* Values each of which stands once, in order; owned. */
typedef struct {
    Py_ssize_t count, room;
    PyObject **item;
    PyObject *known; /* of a long list: a set of its items */
} List;

#define IS_THERE(tag) (fields->at[tag])
/* Walks the values of a group that are not gone. */
#define EACH(i, g)                                                                                                     \
    for (int i = (g)->head; i >= 0; i = fields->next[i])                                                               \
        if (!fields->gone[i])

static inline Group *get(Fields *fields, int tag) { return fields->at[tag] ? &fields->group[fields->at[tag] - 1] : NULL; }

static inline Group *pop(Fields *fields, int tag)
{
    Group *group = get(fields, tag);
    fields->at[tag] = 0;
    return group;
}

/* A record under work. */
typedef struct {
    PyObject *slot[SLOTS]; /* owned */
    PyObject *other;       /* list of (tag, text) */
    PyObject *repairs;     /* list of words, or NULL where there are none */
    List list;
} Work;

/* Whether `s` holds the ASCII word `word`. */
int holds(PyObject *s, const char *word);
/* `s[begin:end]` without blanks at its ends. */
PyObject *stripped_part(PyObject *s, Py_ssize_t begin, Py_ssize_t end);
/* Whether `s` has line ends or what is treated as one. */
int has_lines(PyObject *s);
/* paragraphs of ris_fields.py. */
PyObject *paragraphs(PyObject *s);

/* Adds `value`, which is taken over, unless it is empty or there already. */
int once(List *list, PyObject *value);
/* The list as a tuple; the list is empty then. */
PyObject *as_tuple(List *list);
void drop(List *list);

int put_other(Work *work, PyObject *tag, PyObject *text);
PyObject *ask(int which, PyObject *one);
/* find_doi: sets `*found` to a new reference or leaves it NULL. */
int doi_in(PyObject *text, PyObject **found);
/* find_year: 0 for none. */
int year_in(PyObject *s);
/* find_pmcid: a new reference, None where there is none, NULL on an error. */
PyObject *pmcid_in(PyObject *s);
/* The ISSN and ISBN in the values of some tags; what is neither is kept under `name`. */
int serials(Work *work, Fields *fields, Group **groups, int many, PyObject *name);
/* Takes what the notes tell of decisions and of the kind out of them. */
int told_in_notes(Work *work);
/* Tells `tally` of repairs and of the record, and gives it its id, file and place; an id of its own is kept. */
int told_to(PyObject *tally, Work *work, PyObject *name, PyObject *own, Py_ssize_t start, Py_ssize_t end);
PyObject *filled(Work *work);
/* Gives up what a record under work still holds. */
void given_up(Work *work);

#endif
