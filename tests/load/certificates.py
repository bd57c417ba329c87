"""A private authority for one run, and server certificates for the receiver's hosts (P-256, a day)."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_DAY = datetime.timedelta(days=1)
_AUTHORITY = "Load test authority"


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerTls:
    """How a receiver speaks TLS."""

    #: PEM with key and certificate, by host: a certificate that names all of them would be slow to read.
    certificates: dict[str, Path]
    #: The authority, for whoever calls the receiver.
    authority: Path
    #: Off: every connection is a full handshake.
    resumes: bool = True

    def arguments(self) -> dict[str, Any]:
        """Give what the receiver's process needs, as JSON can carry it."""
        return {
            "certificates": {host: str(path) for host, path in self.certificates.items()},
            "resumes": self.resumes,
        }


def server_contexts(*, certificates: dict[str, str], resumes: bool) -> dict[str, ssl.SSLContext]:
    """Make the receiving side's context of each host."""
    contexts = {}
    for host, path in certificates.items():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        if not resumes:
            context.num_tickets = 0
            context.options |= ssl.OP_NO_TICKET
        contexts[host] = context
    return contexts


def issue(folder: Path, hosts: Sequence[str], *, resumes: bool = True) -> ServerTls:
    """Make an authority and a certificate for each of the hosts (IP addresses)."""
    key = ec.generate_private_key(ec.SECP256R1())
    authority = (
        _builder(_AUTHORITY, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    authority_path = folder / "authority.pem"
    authority_path.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    certificates = {host: _issue_one(folder, host, key) for host in hosts}
    return ServerTls(certificates=certificates, authority=authority_path, resumes=resumes)


def _issue_one(folder: Path, host: str, authority_key: ec.EllipticCurvePrivateKey) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
    certificate = (
        _builder(host, key).add_extension(names, critical=False).sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    text = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / f"{host}.pem"
    path.write_bytes(text + certificate.public_bytes(pem))
    return path


def _builder(subject: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(_AUTHORITY))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
