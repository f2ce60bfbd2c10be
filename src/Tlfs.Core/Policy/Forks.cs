using System.Collections.Immutable;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>The forks that the statements of a set prove, by author and number (docs/protocol/statements.md §4.11). Immutable.</summary>
internal sealed class Forks
{
    private readonly ImmutableDictionary<PeerId, ImmutableSortedDictionary<ulong, ImmutableList<int>>> _authors;

    private Forks(ImmutableDictionary<PeerId, ImmutableSortedDictionary<ulong, ImmutableList<int>>> authors) => _authors = authors;

    public static Forks None { get; } = new(ImmutableDictionary<PeerId, ImmutableSortedDictionary<ulong, ImmutableList<int>>>.Empty);

    public bool IsEmpty => _authors.IsEmpty;

    /// <summary>These forks and one that the statement with that number in the set proves.</summary>
    public Forks With(Fork fork, int statement)
    {
        var seqs = _authors.GetValueOrDefault(fork.Author, ImmutableSortedDictionary<ulong, ImmutableList<int>>.Empty);
        return new(_authors.SetItem(fork.Author, seqs.SetItem(fork.Seq, seqs.GetValueOrDefault(fork.Seq, []).Add(statement))));
    }

    /// <summary>The number from which the author is frozen; null if it is not.</summary>
    public ulong? FrozenFrom(PeerId author) => _authors.TryGetValue(author, out var seqs) ? seqs.First().Key : null;

    /// <summary>True if nothing with that number of the author is structural, but for proofs.</summary>
    public bool Freezes(PolicyStatement statement) => statement.Body is not Equivocation && FrozenFrom(statement.Author) <= statement.Seq;

    /// <summary>The numbers at which the author forks, ascending, each with the statements that prove it.</summary>
    public IEnumerable<KeyValuePair<ulong, ImmutableList<int>>> Of(PeerId author) =>
        _authors.TryGetValue(author, out var seqs) ? seqs : Enumerable.Empty<KeyValuePair<ulong, ImmutableList<int>>>();
}
