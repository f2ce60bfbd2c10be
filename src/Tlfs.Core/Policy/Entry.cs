using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>A statement in a set: its dense number and what it rests on.</summary>
/// <param name="Number">Place in the order of insertion; -1 for a statement that is judged without being in the set.</param>
/// <param name="Statement">The statement.</param>
/// <param name="Past">The closure of its auth, without itself.</param>
internal sealed record Entry(int Number, PolicyStatement Statement, StatementSet Past)
{
    /// <summary>The grant that the statement carries, if it carries one.</summary>
    public GrantNode? Grant { get; init; }

    /// <summary>For a zoneCreate, <see cref="Verdict.Counts"/> if it is structural (docs/protocol/statements.md §6.1); null for other statements.</summary>
    public Verdict? Creation { get; init; }
}

/// <summary>A grant and its place in the tree of delegation. All but whether it counts is known when it is added.</summary>
internal sealed class GrantNode
{
    public required int Number { get; init; }

    public required PolicyStatement Statement { get; init; }

    public required StatementSet Past { get; init; }

    public required Actor Actor { get; init; }

    public required Permission Permission { get; init; }

    public required ZoneId Zone { get; init; }

    /// <summary><see cref="Verdict.Counts"/> if structural (docs/protocol/statements.md §4.1); the members below have a meaning only then.</summary>
    public required Verdict Structure { get; init; }

    public GrantNode? Parent { get; init; }

    /// <summary>Length of the address: 1 for a grant without parent.</summary>
    public int Depth { get; init; }

    public int ZoneDepth { get; init; }

    /// <summary>What it allows in all of its zone: a grant with a sub is read there, and writes at its path only.</summary>
    public Permission InWholeZone => Body?.Sub is null ? Permission : Permission.Read;

    public bool HasSub => Body?.Sub is not null;

    public bool FromNow => Body is { FromNow: true };

    public GrantId? ParentId => Body?.Parent;

    private Grant? Body => Statement.Body as Grant;

    /// <summary>Ascending key: zone depth, permission (greatest first), length of address, address (§4).</summary>
    public static IComparer<GrantNode> ByKey { get; } = Comparer<GrantNode>.Create(CompareKeys);

    private static int CompareKeys(GrantNode left, GrantNode right)
    {
        var order = left.ZoneDepth.CompareTo(right.ZoneDepth);
        if (order == 0) order = (int)right.Permission - (int)left.Permission;
        return order == 0 ? CompareAddresses(left, right) : order;
    }

    /// <summary>True if a holder of <paramref name="superior"/> may end <paramref name="grant"/> (§4.4).</summary>
    public static bool Dominates(GrantNode superior, GrantNode grant, ZoneTree zones, bool seniority)
    {
        if (IsAncestor(superior, grant)) return true;
        if (superior.Zone != grant.Zone) return zones.IsAtOrAbove(superior.Zone, grant.Zone) && superior.Permission >= grant.Permission;
        if (superior.Permission != grant.Permission) return superior.Permission > grant.Permission;
        return seniority && CompareAddresses(superior, grant) < 0;
    }

    private static bool IsAncestor(GrantNode superior, GrantNode grant)
    {
        for (var above = grant.Parent; above is not null; above = above.Parent)
        {
            if (above == superior) return true;
        }

        return false;
    }

    // Shorter first. Equal lengths differ first where the two chains of parents part, so it is enough to compare there.
    private static int CompareAddresses(GrantNode left, GrantNode right)
    {
        if (left.Depth != right.Depth) return left.Depth.CompareTo(right.Depth);
        while (left.Parent != right.Parent) (left, right) = (left.Parent!, right.Parent!);
        var order = left.Statement.Seq.CompareTo(right.Statement.Seq);
        return order == 0 ? left.Statement.Id.CompareTo(right.Statement.Id) : order;
    }
}
