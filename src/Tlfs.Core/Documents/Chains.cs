using System.Buffers.Binary;
using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Radix;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

/// <summary>The chains of a document's authors: each author's envelopes by sequence number, and which of them others have named.</summary>
internal sealed class Chains(RadixEditor tree)
{
    /// <summary>The author's last number, 0 without any.</summary>
    public ulong Length(PeerId author) => (ulong)tree.CountUnder(DocumentKey.Of(DocumentTag.Chain, author.Value));

    /// <summary>The author's envelope with that number, or null.</summary>
    public EnvelopeId? At(PeerId author, ulong seq) =>
        tree.TryGet(DocumentKey.Of(DocumentTag.Chain, author.Value, seq), out var id) ? new EnvelopeId(new Bytes32(id.Span)) : null;

    /// <summary>Appends the next envelope of its author and remembers whom it names.</summary>
    public void Append(Envelope envelope, Func<EnvelopeId, EnvelopeHeader> find)
    {
        var header = envelope.Header;
        if (Length(header.Author) != header.Seq - 1) throw new InvalidOperationException("an envelope that does not continue its chain");
        tree.Set(DocumentKey.Of(DocumentTag.Chain, header.Author.Value, header.Seq), envelope.Id.Value.ToArray());
        foreach (var named in header.Deps.Select(find))
            if (named.Seq > Named(named.Author)) SetNamed(named.Author, named.Seq);
    }

    /// <summary>
    /// The last counting envelope of every other author that nobody has named yet: what a new envelope depends on.
    /// </summary>
    public IEnumerable<EnvelopeId> Unnamed(PeerId except, Func<EnvelopeId, bool> counts)
    {
        foreach (var author in Authors())
        {
            if (author == except) continue;
            var seq = Length(author);
            while (At(author, seq) is { } last && !counts(last)) seq--;
            if (seq > Named(author)) yield return At(author, seq)!.Value;
        }
    }

    private IEnumerable<PeerId> Authors()
    {
        var prefix = DocumentKey.Of(DocumentTag.Chain);
        var from = prefix;
        while (tree.TryFirst(prefix, from, out var entry))
        {
            var author = DocumentKey.Id(entry.Key.Span);
            yield return new(author);
            from = [.. DocumentKey.Of(DocumentTag.Chain, author, ulong.MaxValue), 0];
        }
    }

    private ulong Named(PeerId author) =>
        tree.TryGet(DocumentKey.Of(DocumentTag.Named, author.Value), out var seq) ? BinaryPrimitives.ReadUInt64BigEndian(seq.Span) : 0;

    private void SetNamed(PeerId author, ulong seq)
    {
        Span<byte> value = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(value, seq);
        tree.Set(DocumentKey.Of(DocumentTag.Named, author.Value), value);
    }
}
