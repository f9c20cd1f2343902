"""Gives worker processes an agent at work with a model that is any function of a test's."""

import hypernb.agents


def work_with_model(*, work, context, load, **_facts):
    return load()(context, work)


hypernb.agents.work_with_model = work_with_model
