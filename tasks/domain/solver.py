"""HiGHS on one core and without output, for the planner's linear and integer programmes."""

import highspy


class _Quiet(highspy.Highs):
    def enableCallbacks(self) -> None:  # noqa: N802 - the name is HiGHS's own
        """The first call that writes to stdout, made by the constructor: too early for an option set afterwards."""
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call]


def solver(**options: float) -> highspy.Highs:
    """HiGHS with `options` by their names, such as mip_rel_gap."""
    highs = _Quiet()  # type: ignore[no-untyped-call]
    for name, value in {"threads": 1, **options}.items():
        highs.setOptionValue(name, value)
    return highs
