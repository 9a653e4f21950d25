"""Tests of the readers and writers of bibliographic records."""
