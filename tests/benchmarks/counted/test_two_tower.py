from counted import two_tower


def test_only_what_runs_on_the_device_is_counted():
    count = two_tower.count_two_tower()
    # 32 steps, each with one call of the optimiser.
    assert count.by_operator["_fused_adamw_"] > 0
    assert two_tower.kernels_per_step() * 32 >= count.kernels > 32 * 100


def test_the_host_never_waits():
    assert not two_tower.count_two_tower().waiting
