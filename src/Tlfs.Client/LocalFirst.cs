using System.Diagnostics.CodeAnalysis;
using Tlfs.Client.Backup;
using Tlfs.Client.Sync;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Schema;
using Tlfs.Core.Sealing;

namespace Tlfs.Client;

/// <summary>
/// The documents of one person on one device, kept in a folder and synchronised with the person's cloudpeers. Safe for concurrent use; several
/// processes may open one folder. Refusals are <see cref="TlfsException"/>.
/// </summary>
/// <example><code>
/// await using var tlfs = await LocalFirst.OpenAsync(folder, TlfsPackage.Compile(source));
/// var doc = await tlfs.CreateAsync("todoapp");
/// await doc.EditAsync(d => d["tasks"].Insert(0, new { title = "milk" }));
/// await doc.GrantAsync(bob, Permission.Write);
/// await tlfs.InviteAsync(bob, doc.Id);
/// await tlfs.SyncAsync();
/// </code></example>
public sealed partial class LocalFirst : IAsyncDisposable
{
    private readonly ReplicaHome _home;
    private readonly Connector _connector;
    private readonly Mailbox _mailbox;
    private readonly SyncEngine _engine;

    private LocalFirst(ReplicaHome home)
    {
        _home = home;
        _connector = new(home);
        _mailbox = new(home, _connector);
        _engine = new(home, _connector, _mailbox);
    }

    /// <summary>This device.</summary>
    public PeerId Peer => _home.Keys.Card.Device;

    /// <summary>This person.</summary>
    public AccountId Account => _home.Keys.Card.Account;

    /// <summary>The name given at the start; empty without one. It stays on this device.</summary>
    public string Name => _home.Name;

    /// <summary>The account's public card: what others need to grant it anything.</summary>
    public AccountCard Card => _home.Keys.Card;

    /// <summary>The schemas added here, by name.</summary>
    public IReadOnlyDictionary<string, TlfsSchema> Schemas =>
        _home.Do(() => _home.Replica.Schemas.ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal));

    /// <summary>Makes a new device with a new account. <c>already-initialised</c> if the folder holds one.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The caller owns the replica in the result.")]
    public static async Task<NewReplica> InitialiseAsync(LocalFirstOptions options, string? name, CancellationToken cancellationToken = default)
    {
        var (home, words) = await Task.Run(() => ReplicaHome.Initialise(options, name ?? string.Empty), cancellationToken);
        return new(new LocalFirst(home), words);
    }

    /// <summary>Opens a replica. <c>not-initialised</c> if the folder holds none.</summary>
    public static async Task<LocalFirst> OpenAsync(LocalFirstOptions options, CancellationToken cancellationToken = default) =>
        new(await Task.Run(() => ReplicaHome.Open(options), cancellationToken));

    /// <summary>For apps: opens the replica in a folder, makes it if there is none, and uses the package's schemas.</summary>
    public static async Task<LocalFirst> OpenAsync(string folder, TlfsPackage package, CancellationToken cancellationToken = default)
    {
        var replica = await OpenOrInitialiseAsync(new() { Home = folder }, cancellationToken);
        try
        {
            await replica.AddSchemasAsync(package, null, cancellationToken);
            return replica;
        }
        catch
        {
            await replica.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes a replica from an exported file. <c>already-initialised</c>, <c>wrong-passphrase</c>.</summary>
    public static async Task<LocalFirst> ImportAsync(
        LocalFirstOptions options, string file, string passphrase, CancellationToken cancellationToken = default)
    {
        await Task.Run(() => ReplicaArchive.Import(options, file, passphrase, cancellationToken), cancellationToken);
        return await OpenAsync(options, cancellationToken);
    }

    /// <summary>
    /// Writes the whole replica, keys included, to a new file sealed with a passphrase. Whoever opens it is this device: move with it, do not
    /// use both copies. <c>input-output</c>, <c>bad-argument</c> for an empty passphrase or a file that exists.
    /// </summary>
    public Task ExportAsync(string file, string passphrase, CancellationToken cancellationToken = default) => _home.DoAsync(
        () =>
        {
            ReplicaArchive.Export(_home.Database, _home.Options.Entropy, file, passphrase, cancellationToken);
            return true;
        },
        cancellationToken);

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        _home.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task<LocalFirst> OpenOrInitialiseAsync(LocalFirstOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await OpenAsync(options, cancellationToken);
        }
        catch (TlfsException e) when (e.Reason == Reason.NotInitialised)
        {
            return (await InitialiseAsync(options, null, cancellationToken)).Replica;
        }
    }
}
