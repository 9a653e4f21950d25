"""The numbers that a text claims, found where they stand and computed again.

Text -> :mod:`plain_text` (one spelling of signs and spaces, with the way back to the original offsets) -> :mod:`tokens`
(words, numbers and signs, one letter a kind, by :mod:`lexicon`) -> patterns over those letters (:mod:`estimates`,
:mod:`proportions`, :mod:`counts`, :mod:`doses`, :mod:`statements`) -> verdicts (:mod:`arithmetic`, :mod:`slips`).
"""
