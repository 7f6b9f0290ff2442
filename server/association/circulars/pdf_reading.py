"""The text of a PDF, taken out by a process of its own: a PDF may be anything."""

from __future__ import annotations

from typing import Final

from server.foundation.errors import InvalidParam
from server.foundation.worker_process import WorkerError, WorkerLimits, WorkerProcess

PDF_LIMITS: Final = WorkerLimits(memory_mb=500, job_s=10)
_JOB: Final = "server.association.circulars.pdf_text:text_in"
_MOST_BYTES: Final = 32 * 2**20


class PdfReading:
    """Takes text out of PDFs; ``worker`` should have ``PDF_LIMITS``."""

    def __init__(self, worker: WorkerProcess) -> None:
        self._worker = worker

    async def text_of(self, data: bytes) -> str:
        """What a PDF says as flowing text; empty where it is only a picture. Raises ``Refused``."""
        if len(data) > _MOST_BYTES:
            raise InvalidParam("このPDFは 大きすぎて 読めません。")
        try:
            text: str = (await self._worker.run(_JOB, {}, data)).values["text"]
        except WorkerError:
            raise InvalidParam("このPDFは 読めません。") from None
        return text
