using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Hosting.Identity;

/// <summary>
/// The server's key, in <c>identity.key</c>. Clients pin it, and every receipt and head is signed with it: it is made once and never
/// made anew, because a server with another key is another server.
/// </summary>
internal sealed class ServerIdentity : IDisposable
{
    private const string FileName = "identity.key";
    private const string Heading = "cloudpeer identity, version 1. Keep it secret, and back it up: nobody can make it again.";
    private const int MaxBytes = 1_024;

    private ServerIdentity(SigningKey key) => Key = key;

    /// <summary>Signs heads, receipts and sessions.</summary>
    public SigningKey Key { get; }

    /// <summary>The server's id.</summary>
    public PeerId Peer => Key.Public;

    /// <summary>Reads the key, or makes it on the very first start.</summary>
    /// <exception cref="TlfsException">The file is damaged, unreadable, or missing although the folder has been in use.</exception>
    public static ServerIdentity LoadOrCreate(DataFolder folder, IEntropy entropy)
    {
        var path = Path.Combine(folder.Path, FileName);
        try
        {
            return new(File.Exists(path) ? Load(path) : CreateOrLoad(folder, path, entropy));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TlfsException(Reason.InputOutput, $"{path} cannot be read or written: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <inheritdoc />
    public void Dispose() => Key.Dispose();

    private static SigningKey Load(string path)
    {
        if (new FileInfo(path).Length <= MaxBytes && TryParse(File.ReadAllText(path), out var key)) return key!;
        throw new TlfsException(Reason.Malformed, $"{path} is damaged; restore it from a backup, because without it this is another server");
    }

    // The id beside the seed tells a damaged seed from a good one.
    private static bool TryParse(string text, out SigningKey? key)
    {
        key = null;
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (lines.Length != 3 || !lines[1].StartsWith("seed ", StringComparison.Ordinal)) return false;
        Span<byte> seed = stackalloc byte[SecretKey.Size];
        if (!Base32.TryDecode(lines[1].AsSpan("seed ".Length), seed)) return false;
        var found = new SigningKey(seed);
        seed.Clear();
        if (string.Equals(lines[2], found.Public.ToString(), StringComparison.Ordinal))
        {
            key = found;
            return true;
        }

        found.Dispose();
        return false;
    }

    // Nodes that share a folder may start together for the first time: one of them makes the key, and the others take it.
    private static SigningKey CreateOrLoad(DataFolder folder, string path, IEntropy entropy)
    {
        var made = $"{path}.{Path.GetRandomFileName()}";
        try
        {
            return Create(folder, path, made, entropy);
        }
        catch (IOException) when (File.Exists(path))
        {
            return Load(path);
        }
        finally
        {
            File.Delete(made);
        }
    }

    private static SigningKey Create(DataFolder folder, string path, string made, IEntropy entropy)
    {
        var used = Directory.EnumerateFiles(folder.Path, "*.db").FirstOrDefault();
        if (used is not null)
            throw new TlfsException(Reason.Malformed, $"{path} is missing, but {used} exists; restore the key from a backup, or choose an empty folder");
        var key = SigningKey.Generate(entropy);
        using (var file = DataFolder.OpenPrivate(made, FileMode.Create, FileShare.None))
        using (var writer = new StreamWriter(file))
        {
            writer.Write($"{Heading}\nseed {Base32.Encode(key.Seed)}\n{key.Public}\n");
            writer.Flush();
            file.Flush(flushToDisk: true);
        }

        try
        {
            File.Move(made, path, overwrite: false);
            return key;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }
}
