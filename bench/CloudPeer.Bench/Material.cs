using Tlfs.Core.Crypto;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Schema;
using Tlfs.Core.Sealing;

namespace CloudPeer.Bench;

/// <summary>What all benchmarks work on: one account and the schema of the README's tour.</summary>
internal static class Material
{
    public const string Source = """
        todoapp {
          0.1.0 { .: Struct  .title: MVReg<String>  .tasks: Array  .tasks.[]: Struct  .tasks.[].title: MVReg<String>  .tasks.[].complete: EWFlag }
        }
        """;

    public static TlfsVersion Schema { get; } = TlfsPackage.Compile(Source).Schemas[0].Latest;

    public static AccountKeys Account()
    {
        using var phrase = RecoveryPhrase.Generate(SystemEntropy.Instance);
        return AccountKeys.Create(SystemEntropy.Instance, phrase);
    }

    public static Document NewDocument(AccountKeys own, out IReadOnlyList<Envelope> bundle)
    {
        using var authority = SigningKey.Generate(SystemEntropy.Instance);
        var document = new Document(new DocId(authority.Public.Value), own);
        var author = new DocumentAuthor(document, SystemEntropy.Instance);
        author.Begin(authority, Schema);
        bundle = author.Bundle;
        return document;
    }
}
