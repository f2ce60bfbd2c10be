using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>
/// The signed, sealed form of a delta, statement or snapshot: the only thing a cloudpeer stores (docs/protocol/envelope.md). An instance is
/// canonical and its body and those parts that are there have the hashes that its header names; whether its signature is right is asked with
/// <see cref="VerifySignature"/>. Parts may be withheld (§1.5).
/// </summary>
public sealed class Envelope
{
    private readonly int _headLength;

    private Envelope(EnvelopeHeader header, ReadOnlyMemory<byte> bytes, int headerLength, ulong present)
    {
        Bytes = bytes;
        Header = header;
        Present = present;
        HeaderBytes = bytes[..headerLength];
        Id = new(Hashing.Hash(Label.Env, HeaderBytes.Span));
        Signature = bytes.Slice(headerLength, SigningKey.SignatureSize);
        var body = headerLength + SigningKey.SignatureSize + 4;
        Body = bytes.Slice(body, header.BodyLength);
        _headLength = body + header.BodyLength;
    }

    // The same envelope with other parts.
    private Envelope(Envelope same, ReadOnlyMemory<byte> bytes, ulong present)
    {
        Bytes = bytes;
        Header = same.Header;
        Present = present;
        HeaderBytes = same.HeaderBytes;
        Id = same.Id;
        Signature = same.Signature;
        Body = same.Body;
        _headLength = same._headLength;
    }

    /// <summary>The header.</summary>
    public EnvelopeHeader Header { get; }

    /// <summary><c>H_env</c> of the header's bytes.</summary>
    public EnvelopeId Id { get; }

    /// <summary>The header's bytes as received.</summary>
    public ReadOnlyMemory<byte> HeaderBytes { get; }

    /// <summary>64 bytes.</summary>
    public ReadOnlyMemory<byte> Signature { get; }

    /// <summary>The public statement of a policy envelope, or what a snapshot says of itself; empty for a delta.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>Which parts are there: bit <c>i</c> is part <c>i</c>.</summary>
    public ulong Present { get; }

    /// <summary>True if no part is withheld.</summary>
    public bool IsWhole => Present == AllParts(Header);

    /// <summary>Everything but the parts: header, signature and body.</summary>
    public ReadOnlyMemory<byte> Head => Bytes[.._headLength];

    /// <summary>All sealed parts that are there, one after the other.</summary>
    public ReadOnlyMemory<byte> PartBytes => Bytes[_headLength..];

    /// <summary>The envelope without the parts that are withheld; with <see cref="Present"/>, what a replica stores.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>True if the part is there.</summary>
    public bool Has(int part) => part >= 0 && part < Header.Parts.Count && IsSet(Present, part);

    /// <summary>The sealed bytes of one part, which must be there.</summary>
    public ReadOnlyMemory<byte> Part(int index)
    {
        if (!Has(index)) throw new InvalidOperationException($"part {index} is withheld");
        var start = _headLength;
        for (var i = 0; i < index; i++)
            if (IsSet(Present, i)) start += Header.Parts[i].Length;
        return Bytes.Slice(start, Header.Parts[index].Length);
    }

    /// <summary>Step 5 of the receiver: the author signed this header.</summary>
    public bool VerifySignature() => SigningKey.Verify(Header.Author, Label.EnvSig, Id.Value, Signature.Span);

    /// <summary>This envelope without some of its parts.</summary>
    public Envelope Without(Func<PartHeader, bool> withhold)
    {
        var kept = Present;
        for (var i = 0; i < Header.Parts.Count; i++)
            if (IsSet(kept, i) && withhold(Header.Parts[i])) kept &= ~(1UL << i);
        return kept == Present ? this : Join(this, kept);
    }

    /// <summary>This envelope with the parts of another copy of it, which has the same id; signature and body stay those of this one.</summary>
    public Envelope With(Envelope other)
    {
        if (other.Id != Id) throw new ArgumentException("another envelope's parts", nameof(other));
        var union = Present | other.Present;
        return union == Present ? this : Join(other, union);
    }

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
        return new(header, bytes, headerBytes.Length, AllParts(header));
    }

    /// <summary>
    /// Steps 1, 2 and 8 of the receiver (envelope.md §3) for a whole envelope: size, canonical form, hashes. The memory is kept, not copied.
    /// </summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out Envelope? envelope, out DecodeError error) =>
        TryDecode(bytes, null, out envelope, out error);

    /// <summary>The same for an envelope of which only these parts are there, as <see cref="Bytes"/> and <see cref="Present"/> say.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, ulong present, [NotNullWhen(true)] out Envelope? envelope, out DecodeError error) =>
        TryDecode(bytes, (ulong?)present, out envelope, out error);

    /// <summary>The same for a <see cref="Head"/> and one item for each part of its header, null for one that is withheld.</summary>
    public static bool TryDecodePartial(
        ReadOnlyMemory<byte> head, IReadOnlyList<ReadOnlyMemory<byte>?> parts, [NotNullWhen(true)] out Envelope? envelope, out DecodeError error)
    {
        envelope = null;
        error = new(Reason.Malformed, "another number of parts");
        if (!TryDecode(head, 0, out var without, out var wrong))
        {
            error = wrong;
            return false;
        }

        if (parts.Count != without.Header.Parts.Count) return false;
        var present = 0UL;
        var length = head.Length;
        error = new(Reason.Malformed, "lengths do not fit the header");
        for (var i = 0; i < parts.Count; i++)
        {
            if (parts[i] is not { } part) continue;
            if (part.Length != without.Header.Parts[i].Length) return false;
            present |= 1UL << i;
            length += part.Length;
        }

        var bytes = new byte[length];
        var rest = Append(bytes, head.Span);
        foreach (var part in parts)
            if (part is { } there) rest = Append(rest, there.Span);
        return new Envelope(without, bytes, present).TryMatch(out envelope, out error);
    }

    private static bool TryDecode(ReadOnlyMemory<byte> bytes, ulong? present, [NotNullWhen(true)] out Envelope? envelope, out DecodeError error)
    {
        envelope = null;
        error = new(Reason.TooLarge, $"more than {Limits.EnvelopeBytes} bytes");
        if (bytes.Length > Limits.EnvelopeBytes) return false;
        if (!EnvelopeHeader.TryDecodeFirst(bytes, out var header, out var headerLength, out error)) return false;
        var there = present ?? AllParts(header!);
        return TryCheckLengths(bytes, header!, headerLength, there, out error) && new Envelope(header!, bytes, headerLength, there).TryMatch(out envelope, out error);
    }

    // An envelope that is too large whole is refused also without its parts, so that all refuse the same.
    private static bool TryCheckLengths(ReadOnlyMemory<byte> bytes, EnvelopeHeader header, int headerLength, ulong present, out DecodeError error)
    {
        error = new(Reason.Malformed, "lengths do not fit the header");
        var at = headerLength + SigningKey.SignatureSize;
        if (bytes.Length < at + 4 || (present & ~AllParts(header)) != 0) return false;
        if (BinaryPrimitives.ReadUInt32BigEndian(bytes.Span[at..]) != header.BodyLength) return false;
        var head = at + 4L + header.BodyLength;
        if (bytes.Length != head + SumLengths(header, present)) return false;
        error = new(Reason.TooLarge, $"more than {Limits.EnvelopeBytes} bytes");
        return head + SumLengths(header, AllParts(header)) <= Limits.EnvelopeBytes;
    }

    private bool TryMatch([NotNullWhen(true)] out Envelope? envelope, out DecodeError error)
    {
        var matches = HashesMatch();
        envelope = matches ? this : null;
        error = matches ? default : new(Reason.PartHash, "a part or the body does not have the hash that the header names");
        return matches;
    }

    private bool HashesMatch()
    {
        if (Header.BodyLength > 0 && Hashing.Hash(Label.Body, Body.Span) != Header.BodyHash) return false;
        var at = _headLength;
        for (var i = 0; i < Header.Parts.Count; i++)
        {
            if (!IsSet(Present, i)) continue;
            if (Hashing.Hash(Label.Chash, Bytes.Span.Slice(at, Header.Parts[i].Length)) != Header.Parts[i].Hash) return false;
            at += Header.Parts[i].Length;
        }

        return true;
    }

    // This head and those parts, each from here or else from the other copy.
    private Envelope Join(Envelope other, ulong present)
    {
        var bytes = new byte[_headLength + SumLengths(Header, present)];
        var rest = Append(bytes, Head.Span);
        for (var i = 0; i < Header.Parts.Count; i++)
            if (IsSet(present, i)) rest = Append(rest, (Has(i) ? this : other).Part(i).Span);
        return new(this, bytes, present);
    }

    private static ulong AllParts(EnvelopeHeader header) => header.Parts.Count == 64 ? ulong.MaxValue : (1UL << header.Parts.Count) - 1;

    private static bool IsSet(ulong mask, int part) => (mask >> part & 1) != 0;

    private static long SumLengths(EnvelopeHeader header, ulong present)
    {
        var sum = 0L;
        for (var i = 0; i < header.Parts.Count; i++)
            if (IsSet(present, i)) sum += header.Parts[i].Length;
        return sum;
    }

    private static Span<byte> Append(Span<byte> to, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to);
        return to[bytes.Length..];
    }
}
