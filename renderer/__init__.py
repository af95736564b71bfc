"""The renderer: a spec goes in, a sealed bundle comes out.

Six verbs, each in the module of its name: `spec.loading.load`, `sources.acquire`,
`resolve.resolve`, `plan.plan`, an executor's `run`, and `bundle.seal`. `pipeline.Renderer`
says them in order. Everything below `plan` is pure: no files, no clock, no chance.
"""
