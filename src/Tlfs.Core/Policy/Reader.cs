using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>Somebody who may read a zone now, and how it gets the keys (docs/protocol/statements.md §5.2, §5.9).</summary>
/// <param name="Actor">The reader; if several grants name it, as the first of them does.</param>
/// <param name="History">False if all the grants are from now on: it gets content keys only.</param>
/// <param name="Grants">The grants that cover the zone and hold, in the same order on all replicas.</param>
/// <param name="IsDirect">
/// True if the keys of the parent zone do not give it those of this one: it may not read the parent zone, or not with history and this one
/// with history. It then needs a wrap of its own.
/// </param>
public sealed record Reader(Actor Actor, bool History, IReadOnlyList<GrantId> Grants, bool IsDirect)
{
    /// <summary>Equal in every field and grant.</summary>
    public bool Equals(Reader? other) =>
        other is not null && Actor.Equals(other.Actor) && History == other.History && IsDirect == other.IsDirect && Grants.SequenceEqual(other.Grants);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Actor, History, IsDirect, Grants.Count);
}
