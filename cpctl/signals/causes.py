"""The published causes of a cancellation."""

# Source: Cloudprinter "Cancellation causes v1.0" (one list for print partners and for clients).
CANCEL_CAUSES: dict[str, str] = {
    "CancelCoverSpine": "wrong cover spine width",
    "CancelBookSize": "wrong size or orientation of the book",
    "CancelCoverSize": "wrong size or orientation of the cover",
    "CancelBookCorrupt": "corrupt book block file",
    "CancelCoverCorrupt": "corrupt cover file",
    "CancelBookTrim": "wrong trim size of the book block",
    "CancelCoverTrim": "wrong trim size of the cover",
    "CancelPageCount": "wrong page count in the book block",
    "CancelUnknownFont": "unknown fonts",
    "CancelBookMargins": "wrong margins in the book block",
    "CancelCoverMargins": "wrong margins on the cover",
    "CancelBookRip": "RIP error in the book block",
    "CancelCoverRip": "RIP error in the cover",
    "CancelUserRequest": "the customer asked for it",
    "CancelInkjetCoverage": "inkjet coverage too high",
    "CancelDownloadError": "the files could not be downloaded",
    "CancelValidateError": "the files could not be validated",
    "CancelInvalidAddress": "invalid shipping address",
    "CancelTestOrder": "the order is a test",
    "CancelFilesCorrupt": "corrupt files",
    "CancelMiscError": "another error",
}
