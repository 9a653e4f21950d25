"""Dose-response meta-analysis: how an effect changes with the dose, over studies that report it at several doses."""
