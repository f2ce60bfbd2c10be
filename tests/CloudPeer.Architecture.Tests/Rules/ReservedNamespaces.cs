using CloudPeer.Architecture.Tests.Sources;

namespace CloudPeer.Architecture.Tests.Rules;

/// <summary>Namespaces that only one place in <c>src</c> may mention, and namespaces that one place must not.</summary>
public static class ReservedNamespaces
{
    private static readonly (string Namespace, string OnlyIn)[] Reserved =
    [
        ("Geralt", "src/Tlfs.Core/Crypto/"),
        ("System.Security.Cryptography", "src/Tlfs.Core/Crypto/"),
        ("System.Formats.Cbor", "src/Tlfs.Core/Encoding/"),
    ];

    private static readonly (string Namespace, string NotIn)[] Banished =
    [
        ("Google.Protobuf", "src/CloudPeer.Sync/Relay/"),
        ("Grpc", "src/CloudPeer.Sync/Relay/"),
        ("CloudPeer.V1", "src/CloudPeer.Sync/Relay/"),
        ("CloudPeer.Protos", "src/CloudPeer.Sync/Relay/"),
        ("CloudPeer.Sync.Wire", "src/CloudPeer.Sync/Relay/"),
        ("Npgsql", "src/CloudPeer.Sync/"),
        ("Microsoft.Data.Sqlite", "src/CloudPeer.Sync/"),
        ("Microsoft.AspNetCore", "src/Tlfs.Client/"),
    ];

    /// <summary>Mentions where they do not belong.</summary>
    public static IEnumerable<string> Misplaced(IEnumerable<SourceText> code) =>
        from file in code
        where file.Area is "src"
        from use in NamesUsed.In(file)
        from violation in Outside(file, use.Name).Concat(Inside(file, use.Name))
        select $"{file.At(use.Node)}: {violation}";

    private static IEnumerable<string> Outside(SourceText file, string name) =>
        from rule in Reserved
        where NamesUsed.IsWithin(name, rule.Namespace) && !file.Path.StartsWith(rule.OnlyIn, StringComparison.Ordinal)
        select $"only {rule.OnlyIn} may mention {rule.Namespace}";

    private static IEnumerable<string> Inside(SourceText file, string name) =>
        from rule in Banished
        where NamesUsed.IsWithin(name, rule.Namespace) && file.Path.StartsWith(rule.NotIn, StringComparison.Ordinal)
        select $"{rule.NotIn} must not mention {rule.Namespace}";
}
