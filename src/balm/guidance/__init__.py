"""Guidance: what is recommended, at which dose, for whom and on which ground; pure, and in Decimal arithmetic.

The rules of one therapy are data (``guidance/*.toml`` of a review package, and its ``arms.csv``); nothing here knows a
drug. A number is never changed into another without saying how, no unit is guessed, and drug forms are never
interchanged.
"""
