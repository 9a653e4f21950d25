# Values of R that tests/unit/stats/test_registry_statistics.py holds: Rscript validation/registry/oracle.R
# lme4 1.1, lmerTest, pbkrtest (compound symmetry, Kenward-Roger), nlme gls (unstructured), survival survfit,
# stats fisher.test, qbinom.
suppressMessages({library(nlme); library(lme4); library(lmerTest); library(pbkrtest); library(survival)})
options(digits = 15)
d <- read.csv("validation/registry/repeated_measures.csv")
d$visit <- factor(d$visit, levels = c("b", "w1", "m1", "m3")); d$id <- factor(d$id)
f <- lmer(y ~ visit + (1 | id), d, control = lmerControl(optCtrl = list(xtol_rel = 1e-12, ftol_rel = 1e-15)))
print(summary(f, ddf = "Kenward-Roger")$coefficients); print(logLik(f))
g <- gls(y ~ visit, d, correlation = corSymm(form = ~as.integer(visit) | id), weights = varIdent(form = ~1 | visit),
         control = glsControl(tolerance = 1e-12, msTol = 1e-12, maxIter = 500, msMaxIter = 500))
print(summary(g)$tTable); print(logLik(g)); print(getVarCov(g, individual = "2"))
for (type in c("log-log", "log", "plain")) {
  # the leukaemia trial of Freireich et al. 1963 (6-MP arm), as in every text on survival
  time <- c(6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35)
  event <- c(1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0)
  s <- survfit(Surv(time, event) ~ 1, conf.type = type)
  print(type); print(cbind(s$time, s$n.risk, s$n.event, s$surv, s$std.err * s$surv, s$lower, s$upper)); print(quantile(s, 0.5))
}
s <- survfit(Surv(c(1, 2, 3, 4), c(1, 1, 1, 1)) ~ 1, conf.type = "log-log"); print(quantile(s, 0.5))
print(fisher.test(cbind(c(3, 5, 9), c(17, 7, 6)))$p.value)
print(fisher.test(cbind(c(1, 0, 4, 6, 2), c(11, 8, 9, 5, 30)), workspace = 2e7)$p.value)
print(fisher.test(cbind(c(10, 2), c(3, 15)))$p.value)
library(jsonlite)
km <- lapply(c("log-log", "log", "plain"), function(type) {
  s <- survfit(Surv(time, event) ~ 1, conf.type = type); q <- quantile(s, 0.5)
  list(scale = type, times = s$time, at_risk = s$n.risk, events = s$n.event, survival = s$surv, se = s$std.err * s$surv,
       low = s$lower, high = s$upper, median = unname(c(q$quantile, q$lower, q$upper)))
})
kr <- summary(f, ddf = "Kenward-Roger")$coefficients
un <- summary(g)$tTable
write_json(list(
  versions = list(R = as.character(getRversion()), survival = as.character(packageVersion("survival")),
                  lme4 = as.character(packageVersion("lme4")), pbkrtest = as.character(packageVersion("pbkrtest")),
                  nlme = as.character(packageVersion("nlme"))),
  leukaemia = list(time = time, event = event), kaplan_meier = km,
  halves = {q <- quantile(survfit(Surv(c(1, 2, 3, 4), c(1, 1, 1, 1)) ~ 1, conf.type = "log-log"), 0.5); unname(c(q$quantile, q$lower, q$upper))},
  compound_symmetry = list(estimate = kr[, 1], se = kr[, 2], df = kr[, 3], p = kr[, 5], log_likelihood = as.numeric(logLik(f))),
  unstructured = list(estimate = un[, 1], se = un[, 2], log_likelihood = as.numeric(logLik(g))),
  exact = list(list(events = c(3, 5, 9), n = c(20, 12, 15), p = fisher.test(cbind(c(3, 5, 9), c(17, 7, 6)))$p.value),
    list(events = c(1, 0, 4, 6, 2), n = c(12, 8, 13, 11, 32), p = fisher.test(cbind(c(1, 0, 4, 6, 2), c(11, 8, 9, 5, 30)), workspace = 2e7)$p.value),
    list(events = c(10, 2), n = c(13, 17), p = fisher.test(cbind(c(10, 2), c(3, 15)))$p.value),
    list(events = c(5, 5, 5), n = c(10, 10, 10), p = fisher.test(cbind(c(5, 5, 5), c(5, 5, 5)))$p.value))
), "validation/registry/oracle.json", digits = NA, auto_unbox = TRUE, pretty = TRUE, na = "null")
