"""Network meta-analysis on a graph of treatments: one n x n Laplacian, never a matrix of pairs by pairs."""
