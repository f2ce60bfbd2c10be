using System.Text;
using CloudPeer.TestKit;
using Npgsql;
using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Tour;

/// <summary>The server can read nothing: none of what two people wrote is anywhere in its data or in what it prints.</summary>
public sealed class CanaryTests(PostgresFixture postgres)
{
    private const string Schema = "quokkaschema { 1.0.0 { .: Struct .wombatfield: MVReg<String> .numbattable: Table<String> .numbattable.{}: EWFlag } }";
    private static readonly string[] Canaries = ["quokkaschema", "wombatfield", "numbattable", "bilbykey", "dibblertext", "pottooedit", "quollnote", "kowariname"];

    [Fact]
    public async Task TheEmbeddedStore_HoldsNoneOfIt()
    {
        await using var server = await Server.StartAsync();
        var secrets = await WriteAsync(server);
        await server.KillAsync();
        var files = Directory.GetFiles(server.DataFolder, "*", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        foreach (var file in files) AssertFree(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken), secrets, file);
        AssertFree(Encoding.UTF8.GetBytes(server.Output), secrets, "the server's output");

        // The search itself works: what is stored in the clear is found.
        Assert.Contains(files, file => Holds(File.ReadAllBytes(file), Encoding.ASCII.GetBytes("SQLite format 3")));
    }

    [Fact]
    public async Task PostgreSql_HoldsNoneOfIt()
    {
        var database = await postgres.CreateDatabaseAsync(TestContext.Current.CancellationToken);
        await using var server = await Server.StartAsync(("CLOUDPEER_DATABASE_URL", database.Url));
        var secrets = await WriteAsync(server);
        var dump = await DumpAsync(database);
        Assert.True(dump.Length > 1_000);
        AssertFree(Encoding.UTF8.GetBytes(dump), [.. secrets, .. secrets.Select(secret => Encoding.ASCII.GetBytes(Convert.ToHexStringLower(secret)))], "the database");
        AssertFree(Encoding.UTF8.GetBytes(server.Output), secrets, "the server's output");
    }

    /// <summary>Lets two people write all canaries, and returns them with the recovery words as bytes.</summary>
    private static async Task<byte[][]> WriteAsync(Server server)
    {
        using var anna = Person.Inside("anna");
        using var bob = Person.Inside("bob");
        var words = (await anna.JsonAsync("init", "--name", "kowariname")).Text("recovery");
        (await bob.RunAsync("init")).Done();
        foreach (var person in (Person[])[anna, bob]) (await person.RunAsync("cloudpeer", "add", server.Url)).Done();
        (await anna.RunAsync("schema", "add", Schemas.Write(anna, "quokkaschema.tlfs", Schema))).Done();
        var document = (await anna.JsonAsync("doc", "create", "quokkaschema")).Text("doc");
        (await anna.EditAsync(document, """{"op":"set","path":".wombatfield","value":"dibblertext"}""", """{"op":"set","path":".numbattable[\"bilbykey\"]","value":true}""")).Done();
        var account = (await bob.JsonAsync("id")).Text("account");
        (await anna.RunAsync("grant", document, account, "write")).Done();
        (await anna.RunAsync("invite", document, account, "--note", "quollnote")).Done();
        (await anna.RunAsync("sync")).Done();
        await Pair.AcceptAsync(bob);
        (await bob.RunAsync("sync")).Done();
        (await bob.EditAsync(document, """{"op":"set","path":".wombatfield","value":"pottooedit"}""")).Done();
        (await bob.RunAsync("sync")).Done();
        (await anna.RunAsync("sync")).Done();
        Assert.Equal("""{"numbattable":{"bilbykey":true},"wombatfield":"pottooedit"}""" + "\n", await anna.ShowAsync(document));
        return [.. Canaries.Append(words).Select(Encoding.UTF8.GetBytes)];
    }

    private static void AssertFree(byte[] bytes, IEnumerable<byte[]> secrets, string where)
    {
        foreach (var secret in secrets) Assert.False(Holds(bytes, secret), $"{where} holds {Encoding.UTF8.GetString(secret)}");
    }

    private static bool Holds(byte[] bytes, byte[] secret) => bytes.AsSpan().IndexOf(secret) >= 0;

    /// <summary>Every row of every table as text; bytes are in hexadecimal.</summary>
    private static async Task<string> DumpAsync(PostgresDatabase database)
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        var text = new StringBuilder();
        foreach (var table in await ReadAsync(source, "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"))
        {
            foreach (var row in await ReadAsync(source, $"SELECT t::text FROM {table} t")) text.AppendLine(row);
        }

        return text.ToString();
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA2100", Justification = "The text comes from this file and from the catalogue of a private database.")]
    private static async Task<List<string>> ReadAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var rows = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken)) rows.Add(reader.GetString(0));
        return rows;
    }
}
