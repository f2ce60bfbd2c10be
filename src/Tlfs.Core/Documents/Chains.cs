using System.Buffers.Binary;
using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Radix;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

/// <summary>
/// The chains of a document's authors: each author's envelopes by sequence number, and which of them others have named. Of an author who forks, the
/// other branches lie beside the chain.
/// </summary>
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

    /// <summary>Keeps an envelope that does not continue its author's chain, but an envelope before the last or another branch.</summary>
    public void Put(EnvelopeHeader header, EnvelopeId id) => tree.Set(DocumentKey.Of(DocumentTag.Beside, header.Author.Value, header.Seq, id.Value), []);

    /// <summary>The envelopes beside the author's chain, ascending.</summary>
    public IReadOnlyList<(ulong Seq, EnvelopeId Id)> Beside(PeerId author) =>
        [.. tree.Scan(DocumentKey.Of(DocumentTag.Beside, author.Value)).Select(entry => DocumentKey.Place(entry.Key.Span)).Select(place => (place.Seq, new EnvelopeId(place.Id)))];

    /// <summary>The authors with branches beside their chains.</summary>
    public IEnumerable<PeerId> Forked => Authors(DocumentTag.Beside);

    /// <summary>
    /// Makes the branch that ends with an envelope beside the chain the author's chain, and as many as follow it; what stood there is beside it then.
    /// False if the envelope is on the chain or not here.
    /// </summary>
    public bool Lead(PeerId author, ulong seq, EnvelopeId end, Func<EnvelopeId, EnvelopeHeader> find)
    {
        if (!tree.Contains(DocumentKey.Of(DocumentTag.Beside, author.Value, seq, end.Value))) return false;
        var branch = new Stack<EnvelopeId>();
        for (var id = end; At(author, seq) != id && seq > 0; seq--)
        {
            branch.Push(id);
            id = find(id).Prev;
        }

        for (var last = Length(author); last > seq; last--)
        {
            tree.Set(DocumentKey.Of(DocumentTag.Beside, author.Value, last, At(author, last)!.Value.Value), []);
            tree.Remove(DocumentKey.Of(DocumentTag.Chain, author.Value, last));
        }

        if (Named(author) > seq) SetNamed(author, seq);
        while (branch.TryPop(out var next)) Move(author, ++seq, next);
        while (Beside(author).FirstOrDefault(each => each.Seq == seq + 1 && find(each.Id).Prev == end) is { Seq: > 0 } next)
        {
            end = next.Id;
            Move(author, ++seq, end);
        }

        return true;
    }

    /// <summary>
    /// The last counting envelope of every other author that nobody has named yet: what a new envelope depends on.
    /// </summary>
    public IEnumerable<EnvelopeId> Unnamed(PeerId except, Func<EnvelopeId, bool> counts)
    {
        foreach (var author in Authors(DocumentTag.Chain))
        {
            if (author == except) continue;
            var seq = Length(author);
            while (At(author, seq) is { } last && !counts(last)) seq--;
            if (seq > Named(author)) yield return At(author, seq)!.Value;
        }
    }

    private void Move(PeerId author, ulong seq, EnvelopeId id)
    {
        tree.Remove(DocumentKey.Of(DocumentTag.Beside, author.Value, seq, id.Value));
        tree.Set(DocumentKey.Of(DocumentTag.Chain, author.Value, seq), id.Value.ToArray());
    }

    private IEnumerable<PeerId> Authors(DocumentTag tag)
    {
        var prefix = DocumentKey.Of(tag);
        var from = prefix;
        while (tree.TryFirst(prefix, from, out var entry))
        {
            var author = DocumentKey.Id(entry.Key.Span);
            yield return new(author);
            from = [.. DocumentKey.Of(tag, author, ulong.MaxValue), 0];
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
