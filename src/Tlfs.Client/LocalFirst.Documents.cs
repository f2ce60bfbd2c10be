using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Schema;

namespace Tlfs.Client;

public sealed partial class LocalFirst
{
    /// <summary>Adds a package's schemas, replacing those of the same names.</summary>
    /// <param name="package">The package.</param>
    /// <param name="pins">For a schema's name, the version after which its versions are left out. <c>bad-argument</c> for one that is not in the package.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public Task AddSchemasAsync(TlfsPackage package, IReadOnlyDictionary<string, SchemaVersion>? pins = null, CancellationToken cancellationToken = default)
    {
        var schemas = package.Schemas.Select(schema => Pin(schema, pins)).ToArray();
        if (pins?.Keys.FirstOrDefault(name => package.Find(name) is null) is { } unknown)
            throw new TlfsException(Reason.BadArgument, $"there is no schema {unknown} to pin");
        return _home.DoAsync(
            () => _home.Database.Write(() =>
            {
                foreach (var schema in schemas)
                {
                    _home.Schemas.Save(schema);
                    _home.Replica.UseSchema(schema);
                }

                return true;
            }),
            cancellationToken);
    }

    /// <summary>Makes a document of a schema that was added, and lets the cloudpeers have it that get every document.</summary>
    public async Task<LocalDocument> CreateAsync(string schema, CancellationToken cancellationToken = default)
    {
        var document = await _home.DoAsync(
            () =>
            {
                var id = _home.Replica.Create(schema);
                _home.GrantHosting(id);
                return id;
            },
            cancellationToken);
        _home.NotifyEdited();
        return new(_home, document);
    }

    /// <summary>All documents kept here, in the order in which they came.</summary>
    public Task<IReadOnlyList<LocalDocument>> DocumentsAsync(CancellationToken cancellationToken = default) => _home.DoAsync<IReadOnlyList<LocalDocument>>(
        () => [.. _home.Replica.Documents.Select(document => new LocalDocument(_home, document))], cancellationToken);

    /// <summary>One document. <c>document-not-found</c>.</summary>
    public Task<LocalDocument> OpenDocumentAsync(DocId document, CancellationToken cancellationToken = default) => _home.DoAsync(
        () =>
        {
            _home.Replica.Open(document);
            return new LocalDocument(_home, document);
        },
        cancellationToken);

    private static TlfsSchema Pin(TlfsSchema schema, IReadOnlyDictionary<string, SchemaVersion>? pins)
    {
        if (pins is null || !pins.TryGetValue(schema.Name, out var last)) return schema;
        TlfsVersion[] kept = [.. schema.Versions.TakeWhile(version => version.Version.CompareTo(last) <= 0)];
        return kept.Length > 0 && kept[^1].Version == last
            ? new(schema.Name, kept)
            : throw new TlfsException(Reason.BadArgument, $"{schema.Name} has no version {last}");
    }
}
