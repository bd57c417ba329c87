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


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerTls:
    """How a receiver speaks TLS."""

    #: PEM with key and certificate.
    certificate: Path
    #: The authority, for whoever calls the receiver.
    authority: Path
    #: Off: every connection is a full handshake.
    resumes: bool = True

    def arguments(self) -> dict[str, Any]:
        """Give what `server_context` takes, as JSON can carry it."""
        return {"certificate": str(self.certificate), "resumes": self.resumes}


def server_context(*, certificate: str, resumes: bool) -> ssl.SSLContext:
    """Make the receiving side's context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if not resumes:
        context.num_tickets = 0
        context.options |= ssl.OP_NO_TICKET
    return context


def issue(folder: Path, hosts: Sequence[str], *, resumes: bool = True) -> ServerTls:
    """Make an authority and one certificate for all the hosts (IP addresses)."""
    authority_key, server_key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    authority = (
        _builder("Load test authority", "Load test authority", authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host)) for host in hosts])
    server = (
        _builder("Load test receiver", "Load test authority", server_key)
        .add_extension(names, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key_text = server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certificate_path, authority_path = folder / "receiver.pem", folder / "authority.pem"
    certificate_path.write_bytes(key_text + server.public_bytes(pem))
    authority_path.write_bytes(authority.public_bytes(pem))
    return ServerTls(certificate=certificate_path, authority=authority_path, resumes=resumes)


def _builder(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
