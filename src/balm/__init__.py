"""balm: from trial data to pooled results, reports, guidance and registry, with every number traceable.

``import balm`` loads neither NumPy nor anything else heavy: each public name is imported when it is first used.

>>> import balm
>>> es = balm.effect_sizes("RR", events_1=[4, 6], n_1=[123, 306], events_2=[11, 29], n_2=[139, 303])
>>> len(es)
2
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from balm.vocabulary import presenters

__version__ = "0.1.0"

#: Every public name and the module that defines it; the docs, ``dir(balm)`` and a test read this table.
PUBLIC = {
    "EffectSizes": "balm.stats.effect_sizes",
    "effect_sizes": "balm.stats.effect_sizes",
    "delta_method": "balm.stats.delta_method",
    "missing_outcomes": "balm.stats.missing_outcomes",
    "missing_outcome_analyses": "balm.stats.missing_outcomes",
    "missing_means": "balm.stats.missing_means",
    "MEASURES": "balm.stats.measures",
    "Pooled": "balm.stats.pooling.pooled",
    "pool": "balm.stats.pooling.pool",
    "pool_many": "balm.stats.pooling.pool_many",
    "PooledMany": "balm.stats.pooling.pool_many",
    "PROFILES": "balm.stats.profiles",
    "TAU2_ESTIMATORS": "balm.stats.heterogeneity.estimators",
    "combine_p": "balm.stats.p_values",
    "adjust_p": "balm.stats.p_values",
    "meta_regression": "balm.stats.regression.meta_regression",
    "location_scale": "balm.stats.regression.location_scale",
    "multimodel": "balm.stats.regression.multimodel",
    "mantel_haenszel": "balm.stats.pooling.mantel_haenszel",
    "peto": "balm.stats.pooling.peto",
    "glmm": "balm.stats.glmm.glmm",
    "subgroups": "balm.stats.pooling.subgroups",
    "leave_one_out": "balm.stats.pooling.leave_one_out",
    "cumulative": "balm.stats.pooling.cumulative",
    "influence": "balm.stats.diagnostics.influence",
    "residuals": "balm.stats.diagnostics.residuals",
    "baujat": "balm.stats.diagnostics.baujat",
    "gosh": "balm.stats.diagnostics.gosh",
    "likelihood_profile": "balm.stats.diagnostics.likelihood_profile",
    "p_value_function": "balm.stats.diagnostics.p_value_function",
    "normal_qq": "balm.stats.diagnostics.normal_quantiles",
    "small_study_test": "balm.stats.small_study.small_study_test",
    "rank_test": "balm.stats.small_study.rank_test",
    "trim_and_fill": "balm.stats.small_study.trim_and_fill",
    "fail_safe_n": "balm.stats.small_study.fail_safe_n",
    "study_power": "balm.stats.small_study.study_power",
    "excess_significance": "balm.stats.small_study.excess_significance",
    "pet_peese": "balm.stats.small_study.pet_peese",
    "selection_model": "balm.stats.selection.selection_model",
    "copas": "balm.stats.selection.copas",
    "p_curve": "balm.stats.small_study.p_curve",
    "waap_wls": "balm.stats.small_study.waap_wls",
    "albatross": "balm.stats.albatross",
    "lfk_index": "balm.stats.small_study.lfk_index",
    "doi_plot": "balm.plots.doi_plot",
    "limit_meta_analysis": "balm.stats.small_study.limit_meta_analysis",
    "compare_profiles": "balm.stats.compare_profiles",
    "multiverse": "balm.stats.multiverse.multiverse",
    "permutation_test": "balm.stats.permutation.permutation_test",
    "bootstrap_tau2": "balm.stats.simulation.tau2_bootstrap",
    "simulate_coverage": "balm.stats.simulation.coverage",
    "simulate_effects": "balm.stats.simulation.simulated_effects",
    "multilevel": "balm.stats.multilevel.multilevel",
    "robust": "balm.stats.multilevel.cluster_robust",
    "wild_bootstrap": "balm.stats.multilevel.wild_bootstrap",
    "network": "balm.stats.network.network",
    "n_of_1": "balm.stats.n_of_1",
    "dose_response": "balm.stats.dose_response.dose_response",
    "sequential_analysis": "balm.stats.sequential.sequential_analysis",
    "required_information": "balm.stats.sequential.required_information",
    "accuracy": "balm.stats.accuracy.accuracy",
    "bayes": "balm.stats.bayes.bayes",
    "bayes_many": "balm.stats.bayes.bayes_many",
    "tau_prior": "balm.stats.bayes.tau_prior",
    "correlated_effects": "balm.stats.multilevel.correlated_effects",
    "sampling_covariance": "balm.stats.dependence.covariance",
    "nearest_covariance": "balm.stats.dependence.nearest_covariance",
    "contrast_matrix": "balm.stats.dependence.contrast_matrix",
    "contrasts_from_arms": "balm.stats.arms_and_contrasts",
    "arms_from_contrasts": "balm.stats.arms_and_contrasts",
    "leave_one_out_many": "balm.stats.pooling.leave_one_out_many",
    "Record": "balm.vocabulary.record",
    "Records": "balm.review.records.collection",
    "read_records": "balm.actions.records",
    "stream_records": "balm.actions.records",
    "write_records": "balm.actions.records",
    "import_records": "balm.actions.import_records",
    "read_revman": "balm.actions.revman",
    "find_duplicates": "balm.review.deduplication.duplicates",
    "rank": "balm.review.screening.ranking",
    "simulate_screening": "balm.review.screening.simulation",
    "stopping_test": "balm.review.screening.stopping",
    "agreement": "balm.review.screening.agreement",
    "flow_diagram": "balm.plots.flow",
    "risk_of_bias_plot": "balm.plots.risk_of_bias",
    "risk_of_bias_shares": "balm.review.risk_of_bias.plain_table",
    "convert": "balm.stats.convert",
    "proportion_interval": "balm.stats.proportions",
    "displayed_mean": "balm.stats.transforms",
    "pool_table": "balm.actions.pool_stream",
    "Review": "balm.actions.review",
    "check_claims": "balm.review.claims_in_text.check",
    "Interval": "balm.vocabulary.interval",
    "InputError": "balm.vocabulary.problems",
}

presenters.register(
    {
        "forest": "balm.plots.forest:forest",
        "forest_table": "balm.plots.forest_table:forest_table",
        "funnel": "balm.plots.funnel:funnel",
        "accuracy_html": "balm.report.accuracy_words:html",
        "accuracy_methods": "balm.report.accuracy_words:methods",
        "accuracy_sentence": "balm.report.accuracy_words:sentence",
        "accuracy_text": "balm.report.accuracy_words:text",
        "albatross": "balm.plots.albatross:albatross",
        "baujat": "balm.plots.baujat:baujat",
        "bayes_html": "balm.report.bayes_words:html",
        "bayes_methods": "balm.report.bayes_words:methods",
        "bayes_sentence": "balm.report.bayes_words:sentence",
        "bayes_text": "balm.report.bayes_words:text",
        "bubble": "balm.plots.bubble:bubble",
        "copas": "balm.plots.copas:copas",
        "doi_plot": "balm.plots.doi_plot:doi_plot",
        "dose_response": "balm.plots.dose_response:dose_response",
        "dose_response_html": "balm.report.dose_response_words:html",
        "dose_response_methods": "balm.report.dose_response_words:methods",
        "dose_response_sentence": "balm.report.dose_response_words:sentence",
        "dose_response_text": "balm.report.dose_response_words:text",
        "drapery": "balm.plots.drapery:drapery",
        "gosh": "balm.plots.gosh:gosh",
        "influence": "balm.plots.influence:influence",
        "labbe": "balm.plots.labbe:labbe",
        "likelihood_profile": "balm.plots.likelihood_profile:likelihood_profile",
        "normal_qq": "balm.plots.normal_qq:normal_qq",
        "posterior": "balm.plots.posterior:posterior",
        "sequential": "balm.plots.sequential:sequential",
        "sequential_html": "balm.report.sequential_words:html",
        "sequential_methods": "balm.report.sequential_words:methods",
        "sequential_sentence": "balm.report.sequential_words:sentence",
        "sequential_text": "balm.report.sequential_words:text",
        "p_curve": "balm.plots.p_curve:p_curve",
        "radial": "balm.plots.radial:radial",
        "summary_roc": "balm.plots.summary_roc:summary_roc",
        "sunset": "balm.plots.sunset:sunset",
        "weight_function": "balm.plots.weight_function:weight_function",
        "specification_curve": "balm.plots.specification_curve:specification_curve",
        "sentence": "balm.report.words:sentence",
        "methods": "balm.report.words:methods",
        "text": "balm.report.words:text",
        "html": "balm.report.words:html",
    }
)

__all__ = sorted([*PUBLIC, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"module 'balm' has no attribute {name!r}")
    module = import_module(PUBLIC[name])
    value = module if PUBLIC[name] == f"balm.stats.{name}" and name == "convert" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
