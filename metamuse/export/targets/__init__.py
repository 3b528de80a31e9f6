"""The targets of ``export``: every module here is one, with an ``EXPORTER`` (:class:`metamuse.export.base.Exporter`)."""
