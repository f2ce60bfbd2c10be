using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace Tlfs.Client;

/// <summary>One document on this device. Reading shows what is stored now, also what another process wrote. Safe for concurrent use.</summary>
public sealed class LocalDocument
{
    private LocalDocument()
    {
    }

    /// <summary>The document.</summary>
    public DocId Id => throw new NotSupportedException();

    /// <summary>The name of its schema; null while it cannot be read.</summary>
    public string? Schema => throw new NotSupportedException();

    /// <summary>The label of the schema version it is read through; null while it cannot be read.</summary>
    public string? Version => throw new NotSupportedException();

    /// <summary>Live values.</summary>
    public int EntryCount => throw new NotSupportedException();

    /// <summary>Envelopes that at least one of its servers is not known to hold; all of them while it has no server.</summary>
    public int Unsent => throw new NotSupportedException();

    /// <summary>Envelopes held here.</summary>
    public int EnvelopeCount => throw new NotSupportedException();

    /// <summary>All grants, whether they count or not.</summary>
    public IReadOnlyList<GrantStatus> Grants => throw new NotSupportedException();

    /// <summary>All envelopes held here, causes before effects.</summary>
    public IReadOnlyList<LogEntry> Log => throw new NotSupportedException();

    /// <summary>The document, or what is at a path, as JSON (docs/protocol/operations.md §5). <c>key-missing</c> while its keys have not arrived.</summary>
    /// <param name="path">A view path; <c>.</c> is the root.</param>
    /// <param name="allValues">Shows each register as an array of all its values.</param>
    public string ToJson(string path = ".", bool allValues = false) => throw new NotSupportedException();

    /// <summary>One transaction: all edits become one delta, durable when this returns. If anything throws, nothing happened.</summary>
    public Task<EditResult> EditAsync(Action<Transaction> edit, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Grants a permission to a person.</summary>
    public Task<GrantId> GrantAsync(AccountCard who, Permission permission, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Grants Sync to a server or device.</summary>
    public Task<GrantId> GrantAsync(PeerId who, Permission permission, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Grants a permission to an actor, such as <see cref="AnyoneActor.Instance"/>.</summary>
    public Task<GrantId> GrantAsync(Actor who, Permission permission, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Ends a grant; readers who lose access get no later keys. <c>grant-not-found</c>, <c>not-authorised</c>.</summary>
    /// <returns>The revocation's envelope.</returns>
    public Task<EnvelopeId> RevokeAsync(GrantId grant, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Checks everything held of this document again: every signature, chain, receipt and log head.</summary>
    public Verification Verify() => throw new NotSupportedException();
}
