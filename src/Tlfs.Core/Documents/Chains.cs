using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

/// <summary>The chains of a document's authors: each author's envelopes by sequence number, and which of them others have named.</summary>
internal sealed class Chains
{
    private readonly Dictionary<PeerId, List<EnvelopeId>> _chains = [];
    private readonly Dictionary<PeerId, ulong> _named = [];

    /// <summary>The author's last number, 0 without any.</summary>
    public ulong Length(PeerId author) => _chains.TryGetValue(author, out var chain) ? (ulong)chain.Count : 0;

    /// <summary>The author's envelope with that number, or null.</summary>
    public EnvelopeId? At(PeerId author, ulong seq) =>
        seq >= 1 && _chains.TryGetValue(author, out var chain) && seq <= (ulong)chain.Count ? chain[(int)(seq - 1)] : null;

    /// <summary>Appends the next envelope of its author and remembers whom it names.</summary>
    public void Append(Envelope envelope, Func<EnvelopeId, EnvelopeHeader> find)
    {
        if (!_chains.TryGetValue(envelope.Header.Author, out var chain)) _chains[envelope.Header.Author] = chain = [];
        if ((ulong)chain.Count != envelope.Header.Seq - 1) throw new InvalidOperationException("an envelope that does not continue its chain");
        chain.Add(envelope.Id);
        foreach (var header in envelope.Header.Deps.Select(find))
            _named[header.Author] = Math.Max(_named.GetValueOrDefault(header.Author), header.Seq);
    }

    /// <summary>
    /// The last counting envelope of every other author that nobody has named yet: what a new envelope depends on.
    /// </summary>
    public IEnumerable<EnvelopeId> Unnamed(PeerId except, Func<EnvelopeId, bool> counts)
    {
        foreach (var (author, chain) in _chains)
        {
            if (author == except) continue;
            var seq = chain.Count;
            while (seq > 0 && !counts(chain[seq - 1])) seq--;
            if ((ulong)seq > _named.GetValueOrDefault(author)) yield return chain[seq - 1];
        }
    }
}
