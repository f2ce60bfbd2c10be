using Tlfs.Core.Ids;
using Tlfs.Core.Schema;
using Tlfs.Core.Sealing;

namespace Tlfs.Client;

/// <summary>
/// The documents of one person on one device, kept in a folder and synchronised with the person's cloudpeers. Safe for concurrent use; several
/// processes may open one folder. Refusals are <see cref="Tlfs.Core.TlfsException"/>.
/// </summary>
public sealed partial class LocalFirst : IAsyncDisposable
{
    /// <summary>Makes a new device with a new account. <c>already-initialised</c> if the folder holds one.</summary>
    public static Task<NewReplica> InitialiseAsync(LocalFirstOptions options, string? name, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Opens a replica. <c>not-initialised</c> if the folder holds none.</summary>
    public static Task<LocalFirst> OpenAsync(LocalFirstOptions options, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>For apps: opens the replica in a folder, makes it if there is none, and uses the package's schemas.</summary>
    public static Task<LocalFirst> OpenAsync(string folder, TlfsPackage package, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Makes a replica from an exported file. <c>already-initialised</c>, <c>wrong-passphrase</c>.</summary>
    public static Task<LocalFirst> ImportAsync(LocalFirstOptions options, string file, string passphrase, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>This device.</summary>
    public PeerId Peer => throw new NotSupportedException();

    /// <summary>This person.</summary>
    public AccountId Account => throw new NotSupportedException();

    /// <summary>The name given at the start; empty without one. It stays on this device.</summary>
    public string Name => throw new NotSupportedException();

    /// <summary>The account's public card: what others need to grant it anything.</summary>
    public AccountCard Card => throw new NotSupportedException();

    /// <summary>The schemas added here, by name.</summary>
    public IReadOnlyDictionary<string, TlfsSchema> Schemas => throw new NotSupportedException();

    /// <summary>Adds a package's schemas, replacing those of the same names.</summary>
    /// <param name="package">The package.</param>
    /// <param name="pins">For a schema's name, the version after which its versions are left out.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public Task AddSchemasAsync(TlfsPackage package, IReadOnlyDictionary<string, SchemaVersion>? pins = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Makes a document of a schema that was added, and lets the cloudpeers have it that get every document.</summary>
    public Task<LocalDocument> CreateAsync(string schema, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>All documents kept here, in the order in which they came.</summary>
    public Task<IReadOnlyList<LocalDocument>> DocumentsAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>One document. <c>document-not-found</c>.</summary>
    public Task<LocalDocument> OpenDocumentAsync(DocId document, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Removes a document from this device. What was not sent is gone.</summary>
    public Task RemoveAsync(DocId document, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Gives up this account's own grants, tells the document's servers if they can be reached, and removes the document from this device.</summary>
    public Task LeaveAsync(DocId document, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>
    /// Finds the card of <c>acct_…</c>, <c>acct_…@URL</c> or <c>peer_…</c> (a device): among those known here, else at the cloudpeers or the URL.
    /// <c>card-unknown</c>, <c>bad-argument</c>.
    /// </summary>
    public Task<AccountCard> ResolveAsync(string who, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>
    /// Invites somebody who holds a grant of Read or more (else <c>grant-refused</c>). The invitation is stored at once, and sent after the document:
    /// now if a server can be reached, else by the next <see cref="SyncAsync"/>.
    /// </summary>
    /// <param name="who">Whom.</param>
    /// <param name="document">To which document.</param>
    /// <param name="note">A line to show.</param>
    /// <param name="url">The cloudpeer with the person's inbox; null for wherever the card was found, and this account's own.</param>
    /// <param name="cancellationToken">Cancels sending; what is stored stays.</param>
    public Task<MessageId> InviteAsync(AccountCard who, DocId document, string note = "", string? url = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>The invitations that wait for an answer; fetches new ones from the cloudpeers that can be reached.</summary>
    public Task<IReadOnlyList<ReceivedInvitation>> InvitationsAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Accepts an invitation: the document is kept here from now on, and filled by the next <see cref="SyncAsync"/>. <c>invite-not-found</c>.</summary>
    public Task<LocalDocument> AcceptAsync(MessageId invitation, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Declines an invitation; nobody is told. <c>invite-not-found</c>.</summary>
    public Task DeclineAsync(MessageId invitation, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>
    /// Uses a cloudpeer: pins its id, registers this account there, and grants it Sync on documents that this account controls. A dead address is
    /// refused within 5 s. Adding it again changes <paramref name="app"/> and <paramref name="only"/>.
    /// </summary>
    /// <param name="url">Its address.</param>
    /// <param name="app">The app that brings the user, if any.</param>
    /// <param name="only">Only these documents; null for every document, present and future.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public Task<CloudpeerState> AddCloudpeerAsync(string url, string? app = null, IReadOnlyList<DocId>? only = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>The cloudpeers this account uses, with what is known of them here.</summary>
    public Task<IReadOnlyList<CloudpeerState>> CloudpeersAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Stops using a cloudpeer: ends its grants and tells it, if it can be reached. <c>cloudpeer-not-found</c>.</summary>
    public Task RemoveCloudpeerAsync(string url, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>
    /// Pulls, pushes, sends queued invitations and fetches new ones. Failures are in the results, one for each document and server: a server that
    /// cannot be reached does not hold up the others. With <see cref="SyncOptions.Watch"/> it goes on until cancelled, and reports as it goes.
    /// </summary>
    public Task<IReadOnlyList<SyncResult>> SyncAsync(SyncOptions? options = null, IProgress<SyncResult>? progress = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>How each document stands with each of its servers, from what is known here; asks nobody.</summary>
    public Task<IReadOnlyList<DocumentServerStatus>> StatusAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>
    /// Writes the whole replica, keys included, to a new file sealed with a passphrase. Whoever opens it is this device: move with it, do not
    /// use both copies. <c>input-output</c>, <c>bad-argument</c> for an empty passphrase or a file that exists.
    /// </summary>
    public Task ExportAsync(string file, string passphrase, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <inheritdoc />
    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
