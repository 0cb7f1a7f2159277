"""What a refusal of S3 means: who must move next.

By the code that S3 gives, else by the status. Of what a library says, only its sentence is passed on: no header, no
signature, no token. Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ChecksumError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as NoConnection

from .errors import Misconfigured, TieoutError, Transient

CONFLICT: Final = "ConditionalRequestConflict"
ABSENT: Final = frozenset({"NoSuchKey"})
NOT_HELD: Final = frozenset({"PreconditionFailed"})
NO_RANGE: Final = "InvalidRange"

_ADDRESS = "Mend the address in tieout.yaml."
_RIGHTS = "Give these credentials the rights that docs/reference/landing-s3.md lists, on the bucket and on its KMS key."
_REGION = "Write the bucket's own region into the address: ?region=..."
_KEY = "Enable the KMS key again, or write another one into the address: ?kms_key=..."
_CREDENTIALS = "Give credentials that hold, as the libraries of AWS find them: a role, a profile or the environment."
_SETTINGS = "Mend it in the settings of AWS on this machine, or in the address in tieout.yaml."
_RENEW = "Renew the session's credentials: these are not renewed by themselves, as those of a role are."
_STORE = "This store does not keep what S3 promises and a landing needs: see docs/reference/landing-s3.md."
_CLOCK = "Set this machine's clock."
_ARCHIVED = "Restore the object from the archive, and take the rule that moved it there from the bucket's lifecycle."
_AGAIN = "It is tried again."
_NETWORK = "Look at the network, and at the region and the endpoint_url of the address; it is tried again."
_CERTIFICATE = "Trust the store's certificate: AWS_CA_BUNDLE names the file of its authority."

_MENDS: Final = {
    **dict.fromkeys(("AccessDenied", "AllAccessDisabled", "AccountProblem", "NotSignedUp", "403", "401"), _RIGHTS),
    **dict.fromkeys(("NoSuchBucket", "InvalidBucketName"), "Create the bucket, or mend the address in tieout.yaml."),
    **dict.fromkeys(
        ("PermanentRedirect", "TemporaryRedirect", "Redirect", "AuthorizationHeaderMalformed", "301", "307"), _REGION
    ),
    "IllegalLocationConstraintException": _REGION,
    **dict.fromkeys(("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidSecurity"), _CREDENTIALS),
    **dict.fromkeys(("NotImplemented", "501", "MethodNotAllowed"), _STORE),
    "RequestTimeTooSkewed": _CLOCK,
    "InvalidObjectState": _ARCHIVED,
}
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
_BUSY = frozenset(
    {"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "OperationAborted", CONFLICT, "BadDigest",
     "XAmzContentSHA256Mismatch", "IncompleteBody", "ThrottlingException", "Throttling", "TooManyRequests",
     "KMS.ThrottlingException", "KMS.InternalException", "KMS.KMSInternalException", "KMS.DependencyTimeoutException"}
)  # fmt: skip
"""Time helps: S3 or the key is busy, or bytes were lost on the way."""
_AWAY = (
    NoConnection, HTTPClientError, IncompleteReadError, ChecksumError,
    CredentialRetrievalError, MetadataRetrievalError, TokenRetrievalError,
)  # fmt: skip
_NOBODY = (NoCredentialsError, PartialCredentialsError, ProfileNotFound, SSOError)


def code_of(error: ClientError) -> str:
    """S3's own code, or the status where it gave none."""
    return str(error.response.get("Error", {}).get("Code", "")) or str(_status_of(error))


def refusal(where: str, error: ClientError, *, is_renewed: bool) -> TieoutError:
    """S3 answered, and said no. `is_renewed`: whether the credentials renew themselves."""
    code, status = code_of(error), _status_of(error)
    told = f"{where} cannot be used: {error.response.get('Error', {}).get('Message') or 'refused'} ({code})."
    if code in _EXPIRED:
        return Transient(told, hint=_AGAIN) if is_renewed else Misconfigured(told, hint=_RENEW)
    if code in _BUSY:
        return Transient(told, hint=_AGAIN)
    if code in _MENDS:
        return Misconfigured(told, hint=_MENDS[code])
    if code.startswith("KMS."):
        return Misconfigured(told, hint=_KEY)
    if status >= 500 or status in (408, 429):
        return Transient(told, hint=_AGAIN)
    return Misconfigured(told, hint=_ADDRESS)


def absence(where: str, error: BotoCoreError) -> TieoutError:
    """There was no answer, or nobody to ask with."""
    told = f"{where} cannot be reached: {str(error).rstrip('.')}."
    if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in told:
        return Misconfigured(told, hint=_CERTIFICATE)
    if isinstance(error, _AWAY):
        return Transient(told, hint=_NETWORK)
    return Misconfigured(told, hint=_CREDENTIALS if isinstance(error, _NOBODY) else _SETTINGS)


def _status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
