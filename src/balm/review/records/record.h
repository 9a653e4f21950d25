/* The fields of one record as its file names them, and the record they make: what record.c does for whole.c. */

#ifndef BALM_RECORD_H
#define BALM_RECORD_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

/* Values of one record; tags of two letters or a letter and a digit, and PMID. */
enum { MOST = 4096, PMID_TAG = 26 * 36, CODES = PMID_TAG + 1, FOREIGN = -1 };
/* What a step came to: an error is set; the record needs judgement and goes through Python; it is done. */
enum { FAILED = -1, JUDGE = 0, DONE = 1 };

#define TAG(a, b) ((a - 'A') * 36 + ((b) >= 'A' ? (b) - 'A' : 26 + (b) - '0'))

typedef struct {
    int code;       /* of the tag, or FOREIGN */
    PyObject *name; /* borrowed; of a foreign field */
    int head, tail, size;
} Group;

/* (tag, values) in the order in which the tags first stand, as the dictionary of the Python twin. */
typedef struct {
    int count, groups;
    PyObject *value[MOST]; /* owned, without blanks at their ends */
    int next[MOST];        /* the next value of the same tag, or -1 */
    char gone[MOST];       /* taken out one by one */
    Group group[MOST];
    short at[CODES]; /* the group of a tag that is not taken yet, plus one */
    PyObject *before; /* the dictionary as it was, where values had to be taken apart */
} Fields;

/* Bytes in UTF-8, of utf8.c. */
typedef struct {
    char *data;
    Py_ssize_t length, room; /* of room, four more than asked for */
} Buffer;

PyObject *is_plain(PyObject *self, PyObject *bytes);
PyObject *line_ends(PyObject *self, PyObject *bytes);
PyObject *without_returns(PyObject *self, PyObject *bytes);
/* Moves `begin` and `end` over what is blank at either end of data[begin:end], or at its end. */
void trim(const char *data, Py_ssize_t *begin, Py_ssize_t *end);
void trim_end(const char *data, Py_ssize_t begin, Py_ssize_t *end);
PyObject *text_of(const char *data, Py_ssize_t begin, Py_ssize_t end);
int put_bytes(Buffer *into, const char *data, Py_ssize_t size);

/* The place of a tag's two letters, or -1. */
int place(Py_UCS4 first, Py_UCS4 second);
/* Adds a value, which is taken over also on an error. */
int add(Fields *fields, int code, PyObject *name, PyObject *value);
void forget(Fields *fields);
/* Tag to list of values: what the Python twin takes. */
PyObject *dictionary(const Fields *fields);
/* The record, with its repairs told to `tally`: DONE with `record` set, or JUDGE with nothing told, or FAILED. */
int build(Fields *fields, PyObject *tally, Py_ssize_t start, Py_ssize_t end, PyObject **record);
/* Tells `tally` of the lines, (number, text) each, that are left out between two records; NULL on an error. */
PyObject *left_out(PyObject *lines, PyObject *tally);
/* record_parts(class, names, callables): what `build` needs of the Python twin. */
PyObject *record_parts(PyObject *self, PyObject *const *given, Py_ssize_t many);
/* BibTeX, of entry.c. */
PyObject *entry(PyObject *self, PyObject *const *given, Py_ssize_t many);
PyObject *entry_parts(PyObject *self, PyObject *const *given, Py_ssize_t many);
/* PubMed's own format, of medline.c. */
PyObject *medline(PyObject *self, PyObject *const *given, Py_ssize_t many);
PyObject *medline_parts(PyObject *self, PyObject *kind_of_types);

#endif
