# The peer: metafor, run as its users run it. Prints one JSON line: CPU seconds an item, and the numbers computed.
suppressMessages(library(metafor))
args <- commandArgs(TRUE); task <- args[1]; data <- args[2]; repeats <- as.integer(args[3]); out <- args[4]
d <- read.csv(data)
cpu <- function(expr) { t <- proc.time(); force(expr); t <- proc.time() - t; sum(t[c(1, 2)]) }
num <- function(x) paste(sprintf("%.17g", x), collapse = ",")
full <- function(y, v) {
  r <- rma(y, v, test = "knha"); ci <- confint(r)$random[1, 2:3]; p <- predict(r)
  c(r$beta, r$se, r$tau2, r$ci.lb, r$ci.ub, r$QE, r$I2, ci, p$pi.lb, p$pi.ub)
}
tight <- list(threshold = 1e-14, maxiter = 10000)
if (task == "one") {
  seconds <- cpu(for (i in 1:repeats) full(d$y, d$v)) / repeats
  r <- rma(d$y, d$v, test = "knha", control = tight)
  res <- c(r$beta, r$se, r$tau2)
} else if (task == "many") {
  groups <- split(d, d$g); take <- groups[1:repeats]; res <- numeric(0)
  seconds <- cpu(for (s in take) { r <- tryCatch(full(s$y, s$v), error = function(e) NULL) }) / repeats
  for (s in take) { r <- tryCatch(rma(s$y, s$v, test = "knha", control = tight), error = function(e) NULL)
    res <- c(res, if (is.null(r)) c(NaN, NaN, NaN) else c(r$beta, r$se, r$tau2)) }
} else if (task %in% c("forest-svg", "forest-png", "forest-pdf")) {
  r <- rma(d$y, d$v, slab = paste("Study", seq_along(d$y)))
  h <- max(4, 1.5 + 0.2 * nrow(d))
  dev <- switch(task, "forest-svg" = function() svg(out, width = 8, height = h), "forest-png" = function() png(out, width = 800, height = 100 * h, type = "cairo"),
                "forest-pdf" = function() pdf(out, width = 8, height = h))
  draw <- function() { dev(); forest(r, showweights = TRUE, header = TRUE); invisible(dev.off()) }
  draw(); seconds <- cpu(for (i in 1:repeats) draw()) / repeats
  res <- c(r$beta)
} else if (task == "command") {
  r <- rma(measure = "RR", ai = events_1, n1i = n_1, ci = events_2, n2i = n_2, data = d, slab = study, test = "knha")
  print(r); print(predict(r, transf = exp)); print(confint(r))
  svg(out, width = 8, height = 6); forest(r, atransf = exp, header = TRUE, addpred = TRUE); invisible(dev.off())
  quit(status = 0)
}
cat(sprintf('{"seconds": %.9g, "numbers": [%s]}\n', seconds, gsub("NaN", "null", num(res))))
