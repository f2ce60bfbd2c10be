using System.CommandLine;
using Tlfs.Client;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace Tlfs.Cli.Running;

/// <summary>One run of a command: its arguments, its output, and the replica it works on.</summary>
internal sealed class Invocation(ParseResult parsed, Streams streams, TimeProvider time, CancellationToken interrupted) : IAsyncDisposable
{
    // Shorter beginnings would soon name several documents.
    private const int ShortestPrefix = 8;

    private LocalFirst? _replica;

    /// <summary>Where results go.</summary>
    public Printer Print { get; } = new(streams, parsed.GetValue(GlobalOptions.Json), parsed.GetValue(GlobalOptions.Quiet));

    /// <summary>What is read and written.</summary>
    public Streams Streams => streams;

    /// <summary>The clock.</summary>
    public TimeProvider Time => time;

    /// <summary>Cancelled when somebody asks the tool to stop.</summary>
    public CancellationToken CancellationToken => interrupted;

    /// <summary>The value of an argument that the command needs.</summary>
    public T Get<T>(Argument<T> argument) => parsed.GetRequiredValue(argument);

    /// <summary>The value of an argument that may be left out.</summary>
    public T Get<T>(Argument<T?> argument, T otherwise)
        where T : class => parsed.GetValue(argument) ?? otherwise;

    /// <summary>The value of an option, or its type's default.</summary>
    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    /// <summary>The folder and settings of the replica.</summary>
    public LocalFirstOptions Options => new()
    {
        Home = HomeFolder(),
        AllowInsecure = parsed.GetValue(GlobalOptions.Insecure),
        Time = time,
    };

    /// <summary>The replica; it is closed when the command ends.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.NotInitialised"/> and whatever else opening may say.</exception>
    public async Task<LocalFirst> OpenAsync() => _replica ??= await LocalFirst.OpenAsync(Options, interrupted);

    /// <summary>Opens the replica and the document that a person named.</summary>
    /// <param name="name">An id or its beginning.</param>
    /// <exception cref="TlfsException"><see cref="Reason.DocumentNotFound"/>, or <see cref="Reason.BadArgument"/> for the beginning of several.</exception>
    public async Task<LocalDocument> DocumentAsync(string name)
    {
        var replica = await OpenAsync();
        return await replica.OpenDocumentAsync(await IdOfAsync(replica, name), interrupted);
    }

    /// <summary>The document that a person named.</summary>
    /// <param name="replica">The replica.</param>
    /// <param name="name">An id or its beginning.</param>
    /// <exception cref="TlfsException"><see cref="Reason.DocumentNotFound"/>, or <see cref="Reason.BadArgument"/> for the beginning of several.</exception>
    public async Task<DocId> IdOfAsync(LocalFirst replica, string name)
    {
        if (Id.TryParse<DocId>(name, out var id)) return id;
        if (!name.StartsWith(DocId.Prefix, StringComparison.Ordinal) || name.Length < DocId.Prefix.Length + ShortestPrefix)
            throw new TlfsException(Reason.DocumentNotFound, $"{name} is not the id of a document (doc_…) nor {ShortestPrefix} letters of one; list them with: tlfs doc list");
        var found = (await replica.DocumentsAsync(interrupted)).Select(document => document.Id)
            .Where(each => each.ToString().StartsWith(name, StringComparison.Ordinal)).ToList();
        return found switch
        {
            [var only] => only,
            [] => throw new TlfsException(Reason.DocumentNotFound, $"no document here begins with {name}; list them with: tlfs doc list"),
            _ => throw new TlfsException(Reason.BadArgument, $"{found.Count} documents here begin with {name}; give more of the id"),
        };
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_replica is not null) await _replica.DisposeAsync();
    }

    private string HomeFolder()
    {
        var named = parsed.GetValue(GlobalOptions.Home) ?? streams.Variable("TLFS_HOME");
        if (named is { Length: > 0 }) return Path.GetFullPath(named);
        var data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return data.Length > 0 ? Path.Combine(data, "tlfs") : throw new TlfsException(Reason.InputOutput, "this user has no data folder; name one with --home DIR or $TLFS_HOME");
    }
}
