"""All reference cases. Those that calibrate are halved by turns: of each kind one sets the factors, one checks them."""

from tests.verification.suite.case import Case
from tests.verification.suite.closed_forms import (
    cantilever,
    cook,
    elliptic_membrane,
    elliptic_plate,
    kirsch,
    pressed_cylinder,
    pressed_sphere,
    spinning_cylinder,
    spinning_disc,
)  # fmt: skip
from tests.verification.suite.heat import (
    cooled_hole,
    cooled_plane,
    heat_sink,
    heated_cylinder,
    hot_block,
    hot_bracket,
    hot_pipe,
    hot_shell,
    pin_fin,
)  # fmt: skip
from tests.verification.suite.parts import (
    block_under_pressure,
    clamped_plate,
    corner_bracket,
    cross_bore,
    hook,
    lug,
    notched_bar,
    plate_with_hole,
    sharp_bracket,
    stepped_shaft,
    tee,
)  # fmt: skip

CASES: dict[str, Case] = {
    case.name: case
    for case in (
        pressed_cylinder("thick cylinder (Lamé)", 0.1, 0.2), pressed_cylinder("thin tube (Lamé)", 0.09, 0.1),
        pressed_sphere("thin sphere (Lamé)", 0.09, 0.1), pressed_sphere("thick sphere (Lamé)", 0.1, 0.2),
        spinning_disc(), spinning_cylinder(),
        kirsch(), plate_with_hole(),
        notched_bar(), cross_bore(),
        cantilever(), cook(),
        hook(), lug(),
        corner_bracket(), sharp_bracket(),
        stepped_shaft(), tee(),
        elliptic_membrane(), clamped_plate(),
        elliptic_plate(),
        block_under_pressure(), hot_pipe(),
        cooled_plane(), hot_shell(),
        heat_sink(), pin_fin(),
        hot_block(), heated_cylinder(),
        cooled_hole(), hot_bracket(),
    )
}  # fmt: skip
