using Tlfs.Core.Crypto;

namespace Tlfs.Client;

/// <summary>Where a replica lives and what it takes from its surroundings.</summary>
public sealed record LocalFirstOptions
{
    /// <summary>The replica's folder, private to the user. One folder is one device.</summary>
    public required string Home { get; init; }

    /// <summary>The clock of signatures, timeouts and retries.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where keys, nonces and ids come from.</summary>
    public IEntropy Entropy { get; init; } = SystemEntropy.Instance;

    /// <summary>Allows <c>http://</c> to other machines (docs/protocol/session.md §7). The content stays sealed; who talks to whom does not.</summary>
    public bool AllowInsecure { get; init; }

    /// <summary>
    /// Whether the other devices of a document may see up to where this one has fetched it (docs/protocol/sync.md §8); null for what was set for the replica,
    /// which is true at first.
    /// </summary>
    public bool? ShowDelivery { get; init; }
}

/// <summary>A replica that was just made.</summary>
/// <param name="Replica">The replica.</param>
/// <param name="RecoveryWords">The twelve words of its account, which are kept nowhere: show them once (docs/protocol/account.md §2).</param>
public sealed record NewReplica(LocalFirst Replica, string RecoveryWords)
{
    /// <summary>Never the words.</summary>
    public override string ToString() => $"new replica of {Replica.Account}";
}
