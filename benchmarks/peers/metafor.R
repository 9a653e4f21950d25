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
  dev <- switch(task, "forest-svg" = function() svg(out, width = 8, height = h), "forest-png" = function() png(out, width = 751, height = 149 + 19.2 * nrow(d), type = "cairo"),  # the pixels of ours
                "forest-pdf" = function() pdf(out, width = 8, height = h))
  # The same figure as ours: effect and standard error as columns, weights, prediction interval, heterogeneity and test.
  label <- function() bquote(paste("RE Model (Q = ", .(formatC(r$QE, digits = 2, format = "f")), ", df = ", .(r$k - r$p), ", p ",
    .(metafor:::.pval(r$QEp, digits = 3, showeq = TRUE, sep = " ")), "; ", I^2, " = ", .(formatC(r$I2, digits = 1, format = "f")), "%, ",
    tau^2, " = ", .(formatC(r$tau2, digits = 2, format = "f")), ")"))
  draw <- function() {
    dev()
    x <- range(d$y) + c(-8, 4)
    forest(r, showweights = TRUE, header = TRUE, addpred = TRUE, xlim = x, mlab = label(),
           ilab = cbind(formatC(d$y, digits = 2, format = "f"), formatC(sqrt(d$v), digits = 2, format = "f")), ilab.xpos = x[1] + c(3.5, 4.5))
    text(x[1] + c(3.5, 4.5), nrow(d) + 2, c("Effect", "SE"), font = 2)
    text(x[1], -2.2, pos = 4, sprintf("Test for overall effect: z = %.2f (P = %.3f)", r$zval, r$pval))
    invisible(dev.off())
  }
  draw(); seconds <- cpu(for (i in 1:repeats) draw()) / repeats
  res <- c(r$beta)
} else if (task == "leave-one-out") {
  groups <- split(d, d$g)[1:repeats]
  fits <- lapply(groups, function(s) tryCatch(rma(s$y, s$v), error = function(e) NULL))
  refits <- sum(sapply(groups, nrow))
  seconds <- cpu(for (r in fits) if (!is.null(r) && r$k > 2) tryCatch(leave1out(r), error = function(e) NULL)) / refits
  res <- tryCatch(leave1out(rma(d$y[d$g == 0], d$v[d$g == 0], control = tight))$tau2, error = function(e) NaN)
} else if (task == "gosh") {
  seconds <- cpu(gosh(rma(d$y, d$v), subsets = repeats, progbar = FALSE)) / repeats
  res <- c(rma(d$y, d$v, control = tight)$beta)
} else if (task == "gosh-common") {
  seconds <- cpu(gosh(rma(d$y, d$v, method = "EE"), subsets = repeats, progbar = FALSE)) / repeats
  res <- c(rma(d$y, d$v, method = "EE")$beta)
} else if (task == "permutation") {
  x <- seq_along(d$y)
  r <- rma(d$y, d$v, mods = ~x)
  seconds <- cpu(permutest(r, iter = repeats, progbar = FALSE)) / repeats
  res <- c(r$beta)
} else if (task %in% c("bootstrap", "coverage")) {
  seconds <- cpu(for (i in 1:repeats) {
    y <- rnorm(nrow(d), 0.2, sqrt(d$v + 0.1)); tryCatch(rma(y, d$v, test = if (task == "coverage") "knha" else "z"), error = function(e) NULL)
  }) / repeats
  res <- numeric(0)  # draws differ between the two, so the numbers come from twenty made replicates
  for (j in 1:20) { r <- rma(0.2 + sqrt(2 * (d$v + 0.1)) * sin(seq_along(d$v) * j), d$v, control = tight); res <- c(res, r$tau2) }
} else if (task == "large") {
  seconds <- cpu(for (i in 1:repeats) r <- rma(d$y, d$v)) / repeats
  res <- c(rma(d$y, d$v, control = tight)$tau2)
} else if (task == "regression") {
  x <- cbind(sin(seq_along(d$y)), cos(2 * seq_along(d$y)))
  seconds <- cpu(for (i in 1:repeats) r <- rma(d$y, d$v, mods = x)) / repeats
  res <- c(r$beta)
} else if (task %in% c("multilevel-dense", "multilevel-sparse")) {
  d$id <- seq_along(d$y)
  seconds <- cpu(for (i in 1:repeats) r <- rma.mv(y, v, random = ~ 1 | g/id, data = d, sparse = task == "multilevel-sparse")) / repeats
  res <- c(r$beta, logLik(r))  # not sigma2: nlminb compares heights, which are level to 1e-7 around the top
} else if (task == "command") {
  r <- rma(measure = "RR", ai = events_1, n1i = n_1, ci = events_2, n2i = n_2, data = d, slab = study, test = "knha")
  print(r); print(predict(r, transf = exp)); print(confint(r))
  svg(out, width = 8, height = 6); forest(r, atransf = exp, header = TRUE, addpred = TRUE); invisible(dev.off())
  quit(status = 0)
}
cat(sprintf('{"seconds": %.9g, "numbers": [%s]}\n', seconds, gsub("NaN", "null", num(res))))
