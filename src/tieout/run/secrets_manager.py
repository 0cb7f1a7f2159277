"""AWS Secrets Manager: the text of secrets, by their names or ARNs. Needs the extra `aws`.

Region and credentials are what the libraries of AWS find on this machine; an ARN names its region itself. The library
asks again when AWS is busy or away, a bounded number of times. Of what AWS says only its code is passed on, and its
sentence where that tells who lacks which right: a refused signature's sentence holds parts of the request.
Codes: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html#API_GetSecretValue_Errors
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSLError,
    SSOError,
)
from botocore.exceptions import ConnectionError as NoConnection

from .environment import Lack, Value

_CONFIG: Final = Config(connect_timeout=5.0, read_timeout=10.0, retries={"mode": "standard", "total_max_attempts": 4})
"""As it is, a secret that cannot be had for good is given up within some 70 s."""

_RIGHTS = "Allow secretsmanager:GetSecretValue on it to this role, and kms:Decrypt where a key of your own encrypts it."
_CREDENTIALS = "Give credentials that hold, as the libraries of AWS find them: a role, a profile or the environment."
_REGION = "Set AWS_DEFAULT_REGION, or write the secret's ARN."
_AGAIN = "Run it again; look at the status of AWS if that lasts."
_NETWORK = "Look at the network, and at the region; then run it again."
_CERTIFICATE = "Trust the certificate: AWS_CA_BUNDLE names the file of its authority."
_SETTINGS = "Mend the settings of AWS on this machine."

_BUSY: Final = frozenset(
    {"InternalServiceError", "InternalServiceErrorException", "InternalFailure", "ServiceUnavailable",
     "ServiceUnavailableException", "Throttling", "ThrottlingException", "TooManyRequestsException",
     "RequestLimitExceeded"}
)  # fmt: skip
_STRANGE: Final = frozenset(
    {"UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
     "IncompleteSignature", "IncompleteSignatureException", "MissingAuthenticationToken", "OptInRequired",
     "MissingAuthenticationTokenException", "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId"}
)  # fmt: skip
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "NotAuthorized", "DecryptionFailure"})


def secrets(names: Collection[str]) -> Mapping[str, Value | Lack]:
    """Each is asked for once."""
    clients: dict[str | None, Any] = {}
    return {name: _secret(name, clients) for name in sorted(names)}


def _secret(name: str, clients: dict[str | None, Any]) -> Value | Lack:
    region = _region(name)
    try:
        if region not in clients:
            clients[region] = boto3.session.Session().client("secretsmanager", region_name=region, config=_CONFIG)
        answer = clients[region].get_secret_value(SecretId=name)
    except ClientError as error:
        return _refused(error)
    except BotoCoreError as error:
        return _unreached(error)
    if "SecretString" not in answer:
        return Lack("which is binary", "Keep it as text.")
    return Value(answer["SecretString"])


def _region(name: str) -> str | None:
    """Of an ARN its own; else that of the settings, which is None here."""
    parts = name.split(":")
    return parts[3] if parts[0] == "arn" and len(parts) > 6 and parts[3] else None


def _refused(error: ClientError) -> Lack:
    told = error.response.get("Error", {})
    code = str(told.get("Code", "")) or "no code"
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code == "ResourceNotFoundException":
        return Lack("which is not there", "Mend the name, or the region: a name is looked for in AWS_DEFAULT_REGION's.")
    if code in _DENIED:
        return Lack(f"which may not be read: {str(told.get('Message', '')).rstrip('.') or 'refused'} ({code})", _RIGHTS)
    if code in _STRANGE:
        return Lack(f"which cannot be asked for: AWS does not take the credentials ({code})", _CREDENTIALS)
    if code in _BUSY or status >= 500 or status in (408, 429):
        return Lack(f"which cannot be asked for now ({code})", _AGAIN, passes=True)
    if code == "InvalidRequestException":
        return Lack(f"which has no value, or is to be deleted ({code})", "Restore the secret, or give it a value.")
    return Lack(f"which was refused ({code})", "Mend the name of the secret.")


def _unreached(error: BotoCoreError) -> Lack:
    """There was no answer, or nobody to ask with."""
    if isinstance(error, NoRegionError):
        return Lack("which cannot be asked for: no region is set", _REGION)
    if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Lack("which cannot be asked for: AWS's certificate is not trusted", _CERTIFICATE)
    if isinstance(error, NoConnection | HTTPClientError | CredentialRetrievalError | MetadataRetrievalError):
        return Lack(f"which cannot be reached ({type(error).__name__})", _NETWORK, passes=True)
    if isinstance(error, NoCredentialsError | PartialCredentialsError | ProfileNotFound | SSOError):
        return Lack(f"which cannot be asked for ({type(error).__name__})", _CREDENTIALS)
    return Lack(f"which cannot be asked for ({type(error).__name__})", _SETTINGS)
