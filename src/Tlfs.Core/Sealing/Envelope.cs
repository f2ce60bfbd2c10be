using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>
/// The signed, sealed form of a delta or statement: the only thing a cloudpeer stores (docs/protocol/envelope.md). An instance is
/// canonical and its parts and body have the hashes that its header names; whether its signature is right is asked with <see cref="VerifySignature"/>.
/// </summary>
public sealed class Envelope
{
    private readonly ReadOnlyMemory<byte> _bytes;

    private Envelope(EnvelopeHeader header, ReadOnlyMemory<byte> bytes, int headerLength)
    {
        _bytes = bytes;
        Header = header;
        HeaderBytes = bytes[..headerLength];
        Id = new(Hashing.Hash(Label.Env, HeaderBytes.Span));
        Signature = bytes.Slice(headerLength, SigningKey.SignatureSize);
        var at = headerLength + SigningKey.SignatureSize + 4;
        Body = bytes.Slice(at, header.BodyLength);
        PartBytes = bytes[(at + header.BodyLength)..];
    }

    /// <summary>The header.</summary>
    public EnvelopeHeader Header { get; }

    /// <summary><c>H_env</c> of the header's bytes.</summary>
    public EnvelopeId Id { get; }

    /// <summary>The header's bytes as received.</summary>
    public ReadOnlyMemory<byte> HeaderBytes { get; }

    /// <summary>64 bytes.</summary>
    public ReadOnlyMemory<byte> Signature { get; }

    /// <summary>The public statement of a policy envelope; empty otherwise.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>All sealed parts, one after the other.</summary>
    public ReadOnlyMemory<byte> PartBytes { get; }

    /// <summary>The whole envelope.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>The sealed bytes of one part.</summary>
    public ReadOnlyMemory<byte> Part(int index)
    {
        var start = 0;
        for (var i = 0; i < index; i++) start += Header.Parts[i].Length;
        return PartBytes.Slice(start, Header.Parts[index].Length);
    }

    /// <summary>Step 5 of the receiver: the author signed this header.</summary>
    public bool VerifySignature() => SigningKey.Verify(Header.Author, Label.EnvSig, Id.Value, Signature.Span);

    /// <summary>Signs a header and joins it with its body and parts.</summary>
    public static Envelope Sign(SigningKey author, EnvelopeHeader header, ReadOnlySpan<byte> body, IReadOnlyList<byte[]> parts)
    {
        if (header.Author != author.Public) throw new ArgumentException("the header names another author", nameof(header));
        var headerBytes = header.Encode();
        var signature = author.Sign(Label.EnvSig, Hashing.Hash(Label.Env, headerBytes));
        var length = headerBytes.Length + signature.Length + 4L + body.Length + parts.Sum(part => (long)part.Length);
        if (headerBytes.Length > Limits.HeaderBytes || length > Limits.EnvelopeBytes)
            throw new TlfsException(Reason.TooLarge, $"one transaction makes at most {Limits.EnvelopeBytes} bytes; split it");
        var bytes = new byte[length];
        var rest = Append(bytes, headerBytes);
        rest = Append(rest, signature);
        BinaryPrimitives.WriteInt32BigEndian(rest, body.Length);
        rest = Append(rest[4..], body);
        foreach (var part in parts) rest = Append(rest, part);
        return new(header, bytes, headerBytes.Length);
    }

    private static Span<byte> Append(Span<byte> to, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to);
        return to[bytes.Length..];
    }

    /// <summary>
    /// Steps 1, 2 and 8 of the receiver (envelope.md §3): size, canonical form, hashes. The memory is kept, not copied.
    /// </summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out Envelope? envelope, out DecodeError error)
    {
        envelope = null;
        error = new(Reason.TooLarge, $"more than {Limits.EnvelopeBytes} bytes");
        if (bytes.Length > Limits.EnvelopeBytes) return false;
        error = new(Reason.Malformed, "not an envelope");
        if (!Canonical.TryMeasure(bytes, Limits.HeaderBytes, out var headerLength)) return false;
        if (!EnvelopeHeader.TryDecode(bytes[..headerLength], out var header, out error)) return false;
        if (!TryCheckLengths(bytes, header!, headerLength, out error)) return false;
        var decoded = new Envelope(header!, bytes, headerLength);
        if (!decoded.HashesMatch())
        {
            error = new(Reason.PartHash, "a part or the body does not have the hash that the header names");
            return false;
        }

        envelope = decoded;
        return true;
    }

    private static bool TryCheckLengths(ReadOnlyMemory<byte> bytes, EnvelopeHeader header, int headerLength, out DecodeError error)
    {
        error = new(Reason.Malformed, "lengths do not fit the header");
        var at = headerLength + SigningKey.SignatureSize;
        if (bytes.Length < at + 4) return false;
        if (BinaryPrimitives.ReadUInt32BigEndian(bytes.Span[at..]) != header.BodyLength) return false;
        var expected = at + 4L + header.BodyLength + header.Parts.Sum(part => (long)part.Length);
        return bytes.Length == expected;
    }

    private bool HashesMatch()
    {
        if (Header.BodyLength > 0 && Hashing.Hash(Label.Body, Body.Span) != Header.BodyHash) return false;
        for (var i = 0; i < Header.Parts.Count; i++)
            if (Hashing.Hash(Label.Chash, Part(i).Span) != Header.Parts[i].Hash) return false;
        return true;
    }
}
