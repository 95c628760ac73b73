"""How strongly the data decide that a term is on, or off, without any refit.

The norm of a term's weights says how large it is, not whether the data ask for this name: of two
nested sets one may be on with a large norm and the other off, though the other would do as well.
So each term is asked how much F* + R would rise if it changed sides, the rest staying as it is:

* an active one is left out, or gives its factor to a term that is off (:mod:`.naming`);
* one that is off comes in as a factor of its own (:mod:`.forward`), or takes the factor of an
  active one.

The cheaper way counts. A term that is on has that rise as its evidence, one that is off minus that
rise; near zero, on either side, the data hardly decide. :mod:`.necessity` is the same question for
active terms with the others refitted, which takes longer and can only find less.
"""

from __future__ import annotations

import numpy as np

from .descent import Point
from .forward import Candidates
from .naming import factor_targets, name_gains
from .penalties import Penalty, column_norms


def evidence(here: Point, penalty: Penalty) -> np.ndarray:
    """Return the evidence for each term, in units of F + R.

    Parameters
    ----------
    here
        A minimum of F* + R.
    penalty
        R, over all terms.

    Returns
    -------
    One number a term: positive if it is on, negative if it is off (up to the precision of W).
    """
    n_terms = here.W.shape[1]
    on, known = column_norms(here.W) > 0, penalty.kinds == "annotated"
    candidates = Candidates(here.problem, penalty, np.zeros(n_terms, dtype=bool))
    candidates.look_at(here)
    rise = np.array([np.inf if on[k] else candidates.shortfall(k) for k in range(n_terms)])

    factors = np.flatnonzero(on)
    if len(factors):
        V, curvature = factor_targets(here, factors)
        for j, k in enumerate(factors):  # what is lost if the factor goes
            rise[k] = name_gains(V[:, [j]], curvature[[j]], penalty.take([k])).item()
        own, names = rise[factors], np.flatnonzero(known & ~on)
        named = known[factors]  # only annotated factors change their names, and among sets
        if len(names) and named.any():
            gains = name_gains(V[:, named], curvature[named], penalty.take(names))
            change = own[named] - gains  # names x factors
            rise[names] = np.minimum(rise[names], change.min(1))
            rise[factors[named]] = np.minimum(own[named], change.min(0))
    return np.where(on, rise, -rise)
