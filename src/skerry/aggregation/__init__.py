"""The aggregation pipeline; pure but for `PipelineContext`.

`pipeline.compile_pipeline` makes a chain of iterators out of stage documents; `pipeline_optimizer.split_pushdown` says which
leading stages the planner can serve instead. A stage knows nothing of storage: whatever it reads or writes outside its input
goes through the context. Errors are MongoDB's, raised when a stage is compiled wherever that is possible.
"""
