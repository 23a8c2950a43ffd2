"""The aggregation pipeline; pure but for `PipelineContext`."""
