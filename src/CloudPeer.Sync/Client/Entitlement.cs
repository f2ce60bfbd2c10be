using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Client;

/// <summary>What an account may use at a server and does use (docs/protocol/sync.md §1.1).</summary>
/// <param name="Account">The account.</param>
/// <param name="Plan">The plan's name.</param>
/// <param name="QuotaBytes">Bytes it may store; 0 is unlimited.</param>
/// <param name="UsedBytes">Bytes it stores.</param>
/// <param name="SignUpUrl">Where to get a plan, if one is needed first.</param>
public sealed record Entitlement(AccountId Account, string Plan, ulong QuotaBytes, ulong UsedBytes, string? SignUpUrl)
{
    /// <summary>What the account may do there: active, read-only, export-only or suspended (§6.1); empty if the server does not say.</summary>
    public string State { get; init; } = string.Empty;

    /// <summary>Every limit of the plan and of the account's app budgets, with what is used of it; empty if the server does not say.</summary>
    public IReadOnlyList<PlanLimit> Limits { get; init; } = [];
}

/// <summary>A limit and what is used of it.</summary>
/// <param name="Resource">What is limited (§6.2); text, because a newer server may limit more.</param>
/// <param name="App">The app, of a budget for one; else empty.</param>
/// <param name="Limit">What is allowed; 0 is unlimited.</param>
/// <param name="Used">What is used.</param>
public sealed record PlanLimit(string Resource, string App, ulong Limit, ulong Used);

/// <summary>A document that fills an account's storage at a server.</summary>
/// <param name="Document">The document.</param>
/// <param name="StoredBytes">Bytes of its envelopes.</param>
/// <param name="Envelopes">Their number.</param>
/// <param name="App">The app that brought it; empty if none said so.</param>
public sealed record StoredDocument(DocId Document, ulong StoredBytes, ulong Envelopes, string App);
